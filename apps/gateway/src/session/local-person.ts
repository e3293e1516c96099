/**
 * The person at the machine is signed in to the control room by opening it, as only the demo wants it.
 *
 * What can go wrong, and what keeps it out:
 * - Somebody elsewhere: the socket has to come from this machine, and the shop to listen on it alone.
 * - Somebody elsewhere through a proxy or a tunnel on this machine, whose socket is local too: one that tells of itself
 *   is known by its headers; one that does not (nginx as it comes) speaks HTTP/1.0 or closes the connection, as no
 *   browser does, and most pass on the Host that the visitor asked for.
 * - A page of another origin whose name was pointed here (DNS rebinding): Host has to be a name of this machine with
 *   the very port that was reached.
 * - A page of another origin or port that opens /ops: the browser says so in Sec-Fetch-Site, which has to be there. What
 *   it could do with the cookie is refused too (SameSite, and Origin against Host).
 * Other people with an account on the same machine are not kept out: whoever needs that sets an ADMIN_TOKEN of
 * their own, which switches this off.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { isLoopback } from "../admission/limits.ts";

/** Told by proxies. */
const forwarded = /^(forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|cf-.*)$/;
const localNames = ["127.0.0.1", "localhost", "[::1]"];

/** Whether the one who opens this page sits at this machine, and meant to. */
export function isLocalPerson(request: FastifyRequest): boolean {
  const { headers, raw } = request;
  const { remoteAddress, localPort } = raw.socket;
  if (request.method !== "GET" || raw.httpVersion !== "1.1") return false;
  if (headers.connection?.toLowerCase() !== "keep-alive") return false;
  if (remoteAddress === undefined || !isLoopback(remoteAddress)) return false;
  if (Object.keys(headers).some((name) => forwarded.test(name))) return false;
  if (!localNames.some((name) => headers.host === `${name}:${localPort}` || isPlain(headers.host, name, localPort)))
    return false;
  const site = headers["sec-fetch-site"];
  return site === "same-origin" || (site === "none" && headers["sec-fetch-mode"] === "navigate");
}

/** A preHandler of the pages. `cookie` is the whole header. */
export function signInLocalPerson(cookie: string) {
  const [pair] = cookie.split(";", 1);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!isControlRoom(request.url) || !isLocalPerson(request)) return;
    reply.header("set-cookie", cookie);
    // The page is to see already what the browser only hears now: else the first visit would meet the form.
    const { headers } = request.raw;
    headers.cookie = [headers.cookie, pair].filter((part) => part !== undefined && part !== "").join("; ");
  };
}

const isControlRoom = (url: string): boolean => /^\/ops(?:[/?]|$)/.test(url);

/** Port 80 goes without saying. */
const isPlain = (host: string | undefined, name: string, port: number | undefined): boolean =>
  port === 80 && host === name;
