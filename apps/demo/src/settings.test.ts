import { StartProblem } from "@plateau/hosting";
import { expect, test } from "vitest";
import { readSettings } from "./settings.ts";

test("--fresh together with a database of one's own is refused: it would leave the orders without their log", () => {
  const env = { DATABASE_URL: "postgresql://localhost/shop" };
  expect(() => readSettings(env, ["--fresh"], "/")).toThrow(StartProblem);
  expect(readSettings(env, [], "/").fresh).toBe(false);
  expect(readSettings({}, ["--fresh"], "/").fresh).toBe(true);
});

test("proxies and cookies are as the environment says, and what makes no sense is refused", () => {
  expect(readSettings({}, [], "/")).toMatchObject({ trustedProxies: [], secureCookies: false });
  const env = { TRUSTED_PROXIES: "10.0.0.0/8, ::1", SECURE_COOKIES: "1" };
  expect(readSettings(env, [], "/")).toMatchObject({ trustedProxies: ["10.0.0.0/8", "::1"], secureCookies: true });
  for (const TRUSTED_PROXIES of ["everyone", "10.0.0.0/33", "10.0.0.0/", "1.2.3.4/8/8"]) {
    expect(() => readSettings({ TRUSTED_PROXIES }, [], "/")).toThrow("TRUSTED_PROXIES must be");
  }
  expect(() => readSettings({ SECURE_COOKIES: "yes" }, [], "/")).toThrow("SECURE_COOKIES must be 0 or 1");
});
