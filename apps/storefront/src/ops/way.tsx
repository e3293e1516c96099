"use client";
/** The way of a purchase as a line of stages. An edge is as thick as what flows on it, and opens to be looked into. */
import type { Edge, EdgeId } from "@plateau/domain/control-room";
import { Fragment, useRef, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { useAgeText } from "./age-text.ts";
import { Inside } from "./inside.tsx";
import { nodeAfter, thicknessOf, type WayNode, wayOrder } from "./way-layout.ts";

export function Way({ edges }: { readonly edges: readonly Edge[] }) {
  const words = useTranslations("ops.way");
  const [open, setOpen] = useState<EdgeId>();
  const opened = edges.find(({ id }) => id === open);
  const list = useRef<HTMLOListElement>(null);
  const close = () => {
    list.current?.querySelector<HTMLElement>(`[data-edge="${open}"] button`)?.focus();
    setOpen(undefined);
  };
  return (
    <section aria-labelledby="way-title" className="way-section">
      <div className="room-head">
        <h2 id="way-title">{words("title")}</h2>
        <p className="room-label">{words("hint")}</p>
      </div>
      <ol className="room-way" ref={list}>
        <Stage node="gateway" />
        {wayOrder.map((id) => {
          const edge = edges.find((one) => one.id === id);
          const node = nodeAfter[id];
          return (
            <Fragment key={id}>
              {edge === undefined ? null : (
                <EdgeButton edge={edge} expanded={open === id} onPress={() => setOpen(open === id ? undefined : id)} />
              )}
              {node === undefined ? null : <Stage node={node} />}
            </Fragment>
          );
        })}
      </ol>
      {opened === undefined ? null : <Inside key={opened.id} edge={opened} onClose={close} />}
    </section>
  );
}

function Stage({ node }: { readonly node: WayNode }) {
  const words = useTranslations("ops.way");
  return (
    <li className={`stage-node at-${node}`}>
      <p className="stage-name">{words(`node.${node}`)}</p>
      <p className="room-label">{words(`does.${node}`)}</p>
    </li>
  );
}

interface EdgeProps {
  readonly edge: Edge;
  readonly expanded: boolean;
  readonly onPress: () => void;
}

function EdgeButton({ edge, expanded, onPress }: EdgeProps) {
  const words = useTranslations("ops.way");
  const format = useFormatter();
  const ageText = useAgeText();
  const { id, from, to, ratePerSecond, depthMessages, oldestAgeMs, inFlight } = edge;
  const rate = format.number(Math.round(ratePerSecond));
  const depth = format.number(depthMessages);
  return (
    <li className={`stage-edge on-${id}`} data-edge={id} data-deep={depthMessages > 0}>
      <button type="button" aria-expanded={expanded} aria-controls="inside" onClick={onPress}>
        <span className="edge-name">
          {words(`edge.${id}`)}
          <span className="sr-only">
            {": "}
            {words("open", { from: words(`node.${from}`), to: words(`node.${to}`) })}
          </span>
        </span>
        <span className="edge-line" style={{ blockSize: thicknessOf(ratePerSecond) }} />
        <span className="edge-rate">{words("rate", { rate })}</span>
        <span className="edge-depth">{words("depth", { count: depth })}</span>
        <span className="edge-more">{oldestAgeMs === null ? "" : words("oldest", { age: ageText(oldestAgeMs) })}</span>
        <span className="edge-more">
          {inFlight === null || inFlight === 0 ? "" : words("inFlight", { count: format.number(inFlight) })}
        </span>
      </button>
    </li>
  );
}
