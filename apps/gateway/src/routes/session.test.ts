import { DeviceShoppers, Session } from "@plateau/domain";
import { expect, test } from "vitest";
import { type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();

/** A browser's cookies, each with the path it was set for. */
class Browser {
  readonly #bed: GatewayBed;
  readonly #jar = new Map<string, { value: string; path: string }>();

  constructor(bed: GatewayBed) {
    this.#bed = bed;
  }

  async ask(method: string, path: string, body?: unknown) {
    const answer = await this.#bed.call(method, path, {
      headers: { cookie: this.cookiesFor(path) },
      ...(body === undefined ? {} : { body }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const cookiePath = /path=([^;]+)/i.exec(line)?.[1] ?? "/";
      if (/max-age=0/i.test(line)) this.#jar.delete(name);
      else this.#jar.set(name, { value, path: cookiePath });
    }
    return answer;
  }

  cookiesFor(path: string): string {
    return [...this.#jar]
      .filter(([, cookie]) => path.startsWith(cookie.path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join("; ");
  }

  async signIn(name: string): Promise<Session> {
    return Session.parse((await this.ask("POST", "/api/session", { name })).body);
  }

  async shoppers() {
    return DeviceShoppers.parse((await this.ask("GET", "/api/session/shoppers")).body).shoppers;
  }
}

test("a device remembers its shoppers, and one can be changed for another", async () => {
  const bed = await startBed();
  const browser = new Browser(bed);
  const ada = await browser.signIn("Ada");
  const ben = await browser.signIn("Ben");
  expect(await browser.shoppers()).toEqual([
    { userId: ben.userId, name: "Ben", current: true },
    { userId: ada.userId, name: "Ada", current: false },
  ]);

  const changed = await browser.ask("POST", `/api/session/shoppers/${ada.userId}`);
  expect(Session.parse(changed.body)).toMatchObject({ userId: ada.userId, name: "Ada" });
  expect(await browser.shoppers()).toMatchObject([
    { userId: ada.userId, current: true },
    { userId: ben.userId, current: false },
  ]);
  const sale = await bed.openSale({ stock: 1 });
  const bought = await browser.ask("POST", `/api/sales/${sale.id}/purchases`, {});
  expect(bought.body).toMatchObject({ userId: ada.userId, state: "won" });
});

test("signing out ends the session here and keeps the shoppers of the device", async () => {
  const browser = new Browser(await startBed());
  const { userId } = await browser.signIn("Ada");
  expect((await browser.ask("DELETE", "/api/session")).status).toBe(204);
  expect((await browser.ask("GET", "/api/orders")).status).toBe(401);
  expect(await browser.shoppers()).toEqual([{ userId, name: "Ada", current: false }]);
});

test("the newest six are kept, and no purchase carries their cookie", async () => {
  const browser = new Browser(await startBed());
  for (const name of ["A", "B", "C", "D", "E", "F", "G", "H"]) await browser.signIn(name);
  expect((await browser.shoppers()).map(({ name }) => name)).toEqual(["H", "G", "F", "E", "D", "C"]);
  expect(browser.cookiesFor("/api/sales/s_1/purchases")).not.toContain("shoppers=");
  expect(browser.cookiesFor("/api/session/shoppers").length).toBeLessThan(3_000);
});

test("a shopper of another device, a forged and a garbled token are nobody", async () => {
  const bed = await startBed();
  const stranger = await new Browser(bed).signIn("Eve");
  const own = new Browser(bed);
  await own.signIn("Ada");
  expect((await own.ask("POST", `/api/session/shoppers/${stranger.userId}`)).status).toBe(404);
  const forged = `${stranger.token.slice(0, -6)}AAAAAA`;
  const answer = await bed.call("GET", "/api/session/shoppers", { headers: { cookie: `shoppers=${forged}~x~~%00` } });
  expect(answer.body).toEqual({ shoppers: [] });
});
