"use client";
/**
 * What the page knows of the system: the seconds of the last hour, the marks, the newest second in full.
 *
 * What can go wrong: the stream breaks (then it is opened again, and the gap is filled from the history), the history
 * and the stream overlap (each second and each mark counts once).
 */
import type { ControlHistory, ControlSecond, Mark } from "@plateau/domain/control-room";
import { useEffect, useState } from "react";
import { call } from "../browser/api.ts";
import { keptMs, type Second, withHistory, withSecond } from "../flow/second.ts";
import { secondOfRoom, secondsOfHistory } from "./room-seconds.ts";

export type RoomSource = "connecting" | "events" | "lost";

export interface Room {
  readonly seconds: readonly Second[];
  /** Oldest first. */
  readonly marks: readonly Mark[];
  readonly latest: ControlSecond | undefined;
  readonly source: RoomSource;
}

const againAfterMs = 3_000;

export function useRoom(history: ControlHistory): Room {
  const [room, setRoom] = useState<Room>(() => ({
    seconds: secondsOfHistory(history),
    marks: history.marks,
    latest: undefined,
    source: "connecting",
  }));

  useEffect(() => {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let events: EventSource | undefined;
    const change = (of: (room: Room) => Partial<Room>) => {
      if (!stopped) setRoom((before) => ({ ...before, ...of(before) }));
    };
    const fill = async () => {
      const reply = await call<ControlHistory>("/api/ops/history?seconds=3600");
      if (reply.kind !== "ok") return;
      change(({ seconds, marks }) => ({
        seconds: withHistory(seconds, secondsOfHistory(reply.body)),
        marks: withMarks(marks, reply.body.marks),
      }));
    };
    const open = () => {
      events = new EventSource("/api/ops/stream");
      events.addEventListener("open", () => void fill());
      events.addEventListener("second", (event) => {
        const latest = JSON.parse(event.data as string) as ControlSecond;
        change(({ seconds }) => ({ latest, source: "events", seconds: withSecond(seconds, secondOfRoom(latest)) }));
      });
      events.addEventListener("marks", (event) => {
        const further = JSON.parse(event.data as string) as readonly Mark[];
        change(({ marks }) => ({ marks: withMarks(marks, further) }));
      });
      events.addEventListener("error", () => {
        change(() => ({ source: "lost" }));
        if (events?.readyState !== EventSource.CLOSED) return;
        timer = setTimeout(open, againAfterMs);
      });
    };
    open();
    return () => {
      stopped = true;
      clearTimeout(timer);
      events?.close();
    };
  }, []);
  return room;
}

/** A gateway that starts anew counts its marks anew. */
export const nameOfMark = ({ id, atMs }: Mark): string => `${atMs}:${id}`;

/** Each once, as last told (a knob's mark grows while it is turned), oldest first, of the last hour. */
export function withMarks(marks: readonly Mark[], further: readonly Mark[]): readonly Mark[] {
  const byName = new Map([...marks, ...further].map((mark) => [nameOfMark(mark), mark]));
  const all = [...byName.values()].toSorted((a, b) => a.atMs - b.atMs || a.id - b.id);
  const lastMs = all.at(-1)?.atMs ?? 0;
  return all.filter(({ atMs }) => atMs > lastMs - keptMs);
}
