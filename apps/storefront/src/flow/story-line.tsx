"use client";
/**
 * The moment in one sentence. Its figures change each second, so it is not read out; what is read out is only that
 * the kind of moment changed.
 */
import { useFormatter, useTranslations } from "use-intl";
import type { Second } from "./second.ts";
import { type Story, storyOf } from "./story.ts";

export function StoryLine({ seconds }: { readonly seconds: readonly Second[] }) {
  const words = useTranslations("live");
  const story = storyOf(seconds);
  return (
    <>
      <p className="story" data-tour="story" data-testid="story" data-kind={story.kind}>
        <StoryWords story={story} />
      </p>
      <p className="sr-only" role="status">
        {words(`spoken.${story.kind}`)}
      </p>
    </>
  );
}

function StoryWords({ story }: { readonly story: Story }) {
  const words = useTranslations("live.story");
  const format = useFormatter();
  const figures = Object.fromEntries(
    Object.entries(story).map(([name, value]) => [name, typeof value === "number" ? format.number(value) : ""]),
  ) as Record<"arrivals" | "decided" | "shed" | "backlog", string>;
  const marked = {
    a: (text: React.ReactNode) => <strong className="arrivals">{text}</strong>,
    d: (text: React.ReactNode) => <strong className="decided">{text}</strong>,
    b: (text: React.ReactNode) => <strong className="backlog">{text}</strong>,
  };
  if (story.kind === "calm" && story.answerMs !== null) {
    return words.rich("calmIn", { ...figures, ...marked, ms: format.number(Math.ceil(story.answerMs)) });
  }
  const wait = "waitSeconds" in story ? format.number(story.waitSeconds) : "";
  return words.rich(story.kind, { ...figures, ...marked, wait });
}
