import type { SmsMessage } from "@plateau/domain/http";
import { translator } from "../../language/server.ts";
import { Words } from "../../language/words.tsx";
import { Inbox } from "../../messages/inbox.tsx";
import { ask } from "../../server/backend.ts";
import { currentMoment } from "../../server/moment.ts";
import { currentShopper } from "../../server/shopper.ts";
import { SignInInvitation } from "../../session/sign-in-button.tsx";

export async function generateMetadata() {
  return { title: (await translator("messages"))("title") };
}

export default async function MessagesPage() {
  const [answer, shopper, moment, t] = await Promise.all([
    ask<{ messages: SmsMessage[] }>("/api/messages"),
    currentShopper(),
    currentMoment(),
    translator("messages"),
  ]);
  if (!answer.ok && answer.status !== 401) throw new Error(`The gateway answered /api/messages with ${answer.status}`);
  return (
    <div className="page inbox">
      <div className="lead-in">
        <h1>{t("title")}</h1>
        <p className="max-w-xl text-ink-soft">{t("about")}</p>
      </div>
      {answer.ok && shopper !== undefined ? (
        <Words of={["messages"]}>
          <Inbox messages={answer.body} userId={shopper.userId} moment={moment} />
        </Words>
      ) : (
        <SignInInvitation what={t("stranger")} />
      )}
    </div>
  );
}
