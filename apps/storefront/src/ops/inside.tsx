"use client";
/** One edge looked into: who owns which partition and how far it has read, what lies there, what was given up on. */
import type { Edge, GroupOnTopic, PeekedMessage, TopicView } from "@plateau/domain/control-room";
import { useEffect, useRef } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { usePolled } from "../browser/use-polled.ts";
import { useFigures } from "../language/words-in-browser.tsx";
import { useAgeText } from "./age-text.ts";
import { DeadLetters } from "./dead-letters.tsx";

const messagesShown = 12;
const pauseMs = () => 2_000;
const nothingYet = undefined;

export function Inside({ edge, onClose }: { readonly edge: Edge; readonly onClose: () => void }) {
  const words = useTranslations("ops");
  const format = useFormatter();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section
      id="inside"
      className="inside"
      aria-labelledby="inside-title"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div className="room-head">
        <h3 id="inside-title" tabIndex={-1} ref={heading}>
          {words(`way.edge.${edge.id}`)}
          {edge.topic === null ? null : <code>{edge.topic}</code>}
        </h3>
        <button type="button" className="room-button" onClick={onClose}>
          {words("way.close")}
        </button>
      </div>
      {edge.topic === null ? (
        <p>{words("inside.replies", { depth: format.number(edge.depthMessages) })}</p>
      ) : (
        <InsideTopic topic={edge.topic} />
      )}
    </section>
  );
}

function InsideTopic({ topic }: { readonly topic: string }) {
  const words = useTranslations("ops");
  const path = `/api/ops/topics/${encodeURIComponent(topic)}?limit=${messagesShown}` as const;
  const { value, refresh } = usePolled<TopicView | undefined>(path, nothingYet, pauseMs, "at once");
  if (value === undefined) return <p className="room-label">{words("way.looking")}</p>;
  return (
    <div className="inside-parts">
      {value.groups.map((group) => (
        <div key={group.group}>
          <Offsets group={group} />
          <DeadLetters
            topic={topic}
            group={group.group}
            count={group.deadLetters}
            letters={value.deadLetters.filter((letter) => letter.group === group.group)}
            onRedriven={refresh}
          />
        </div>
      ))}
      <Latest messages={value.latest} />
    </div>
  );
}

function Offsets({ group }: { readonly group: GroupOnTopic }) {
  const words = useTranslations("ops.inside");
  const format = useFormatter();
  const ageText = useAgeText();
  const title = words("offsets", { group: group.group });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="sideways" tabIndex={0} aria-label={title}>
      <table className="room-table">
        <caption>{title}</caption>
        <thead>
          <tr>
            {(["partition", "committed", "end", "lag", "oldest", "owner", "epoch"] as const).map((name) => (
              <th key={name} scope="col">
                {words(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {group.partitions.map(({ partition, committed, end, lagMessages, oldestAgeMs, owner, epoch }) => (
            <tr key={partition}>
              <th scope="row">{partition}</th>
              <td>{format.number(committed)}</td>
              <td>{format.number(end)}</td>
              <td>{format.number(lagMessages)}</td>
              <td>{oldestAgeMs === null ? "–" : ageText(oldestAgeMs)}</td>
              <td className="words">{owner ?? words("nobody")}</td>
              <td>{epoch ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Latest({ messages }: { readonly messages: readonly PeekedMessage[] }) {
  const words = useTranslations("ops.inside");
  const figures = useFigures();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="sideways" tabIndex={0} aria-label={words("latest")}>
      <table className="room-table">
        <caption>{words("latest")}</caption>
        <thead>
          <tr>
            {(["place", "time", "key", "value"] as const).map((name) => (
              <th key={name} scope="col" className={name === "value" ? "words" : undefined}>
                {words(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {messages.map((message) => (
            <tr key={`${message.partition}:${message.offset}`}>
              <th scope="row">
                {message.partition}:{message.offset}
              </th>
              <td>{figures.clock(message.atMs, "second")}</td>
              <td className="words key">{message.key}</td>
              <td className="words">
                <MessageValue message={message} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {messages.length === 0 ? <p className="room-label">{words("noMessages")}</p> : null}
    </section>
  );
}

function MessageValue({ message }: { readonly message: PeekedMessage }) {
  const words = useTranslations("ops.inside");
  if (message.unreadable === "too-large") return words("tooLarge", { bytes: message.valueBytes });
  if (message.unreadable === "not-decodable") return words("notDecodable", { bytes: message.valueBytes });
  return <code className="message-value">{JSON.stringify(message.value)}</code>;
}
