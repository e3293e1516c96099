"use client";
import type { TopicView } from "@plateau/domain/control-room";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { order, useProblemText } from "./order-answer.ts";

export interface DeadLettersProps {
  readonly topic: string;
  readonly group: string;
  readonly count: number;
  readonly letters: TopicView["deadLetters"];
  readonly onRedriven: () => void;
}

/** What one group gave up on, and the button that sends it down its way again. */
export function DeadLetters({ topic, group, count, letters, onRedriven }: DeadLettersProps) {
  const words = useTranslations("ops.inside");
  const problemText = useProblemText();
  const [said, setSaid] = useState<string>();
  const [sending, setSending] = useState(false);
  const redrive = async () => {
    setSending(true);
    const path = `/api/ops/dead-letters/${encodeURIComponent(group)}/${encodeURIComponent(topic)}/redrive` as const;
    const reply = await order<{ redriven: number }>(path, { method: "POST", body: {} });
    setSending(false);
    setSaid(problemText(reply) ?? (reply.kind === "ok" ? words("redriven", { count: reply.body.redriven }) : ""));
    onRedriven();
  };
  return (
    <div className="dead-letters" data-testid={`dead-${group}`}>
      <p>
        {count === 0 ? words("noDead") : words("dead", { group, count })}{" "}
        {count === 0 ? null : (
          <button type="button" className="room-button" aria-disabled={sending} onClick={() => void redrive()}>
            {words(sending ? "redriving" : "redrive")}
          </button>
        )}{" "}
        <span role="status">{said}</span>
      </p>
      <ul>
        {letters.map((letter) => (
          <li key={`${letter.partition}:${letter.offset}`}>
            <code>
              {letter.partition}:{letter.offset}
            </code>{" "}
            {words("reason")}: <span lang="en">{letter.reason}</span>{" "}
            <span className="room-label">
              {words("tries", { count: letter.errors.length })}
              {letter.errors.map(({ error }) => error).at(-1) === undefined ? "" : ": "}
              <span lang="en">{letter.errors.at(-1)?.error}</span>
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
