/**
 * The page is whole before its script runs, and a shopper in a hurry presses the button in between. This notes such a
 * press on the button itself; the button answers it as soon as it can (see buy-button.tsx).
 */
import { headers } from "next/headers";

const note = `addEventListener("click",function(e){var b=e.target.closest&&e.target.closest("button.act");if(b&&b.dataset.ready===undefined)b.dataset.pressed=""},true)`;

export async function EarlyPress() {
  const policy = (await headers()).get("content-security-policy") ?? "";
  const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
  // biome-ignore lint/security/noDangerouslySetInnerHtml: a constant of ours, under the page's nonce
  return <script nonce={nonce} dangerouslySetInnerHTML={{ __html: note }} />;
}
