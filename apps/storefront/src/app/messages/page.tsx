import type { SmsMessage } from "@plateau/domain/http";
import { Inbox } from "../../messages/inbox.tsx";
import { ask } from "../../server/backend.ts";
import { currentMoment } from "../../server/moment.ts";
import { currentShopper } from "../../server/shopper.ts";
import { SignInInvitation } from "../../session/sign-in-button.tsx";

export const metadata = { title: "Messages" };

export default async function MessagesPage() {
  const [answer, shopper, moment] = await Promise.all([
    ask<{ messages: SmsMessage[] }>("/api/messages"),
    currentShopper(),
    currentMoment(),
  ]);
  if (!answer.ok && answer.status !== 401) throw new Error(`The gateway answered /api/messages with ${answer.status}`);
  return (
    <div className="page inbox">
      <div className="lead-in">
        <h1>Messages</h1>
        <p className="max-w-xl text-ink-soft">What the SMS provider delivered to your demo telephone.</p>
      </div>
      {answer.ok && shopper !== undefined ? (
        <Inbox messages={answer.body} userId={shopper.userId} moment={moment} />
      ) : (
        <SignInInvitation what="Messages go to a shopper's telephone." />
      )}
    </div>
  );
}
