import { defaultKnobs } from "@plateau/domain";
import { expect, test } from "vitest";
import { createAdmissionLimits, isLoopback, networkOf } from "./limits.ts";

test("a second's worth may come at once, then one by one at the rate, each user apart", () => {
  const limits = createAdmissionLimits(() => ({ ...defaultKnobs, userRatePerSecond: 4 }));
  const at = (nowMs: number) => limits.takeUser("ada", nowMs);
  expect([at(0), at(0), at(0), at(0)]).toEqual([0, 0, 0, 0]);
  expect(at(0)).toBeCloseTo(250);
  expect(at(249)).toBeCloseTo(1);
  expect(at(250)).toBe(0);
  expect(at(251)).toBeCloseTo(249);
  expect(limits.takeUser("ben", 251)).toBe(0);
  expect([at(10_000), at(10_000), at(10_000), at(10_000)]).toEqual([0, 0, 0, 0]);
  expect(at(10_000)).toBeGreaterThan(0);
});

test("loopback is exempt from the address limit until the knob says otherwise", () => {
  let knobs = { ...defaultKnobs, addressRatePerSecond: 1 };
  const limits = createAdmissionLimits(() => knobs);
  expect([limits.takeAddress("127.0.0.1", 0), limits.takeAddress("127.0.0.1", 0)]).toEqual([0, 0]);
  expect([limits.takeAddress("203.0.113.9", 0), limits.takeAddress("203.0.113.9", 0)]).toEqual([0, 1_000]);
  knobs = { ...knobs, limitLoopback: true };
  expect([limits.takeAddress("::1", 0), limits.takeAddress("::1", 0)]).toEqual([0, 1_000]);
});

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::6", "2001:db8:0:0::/64"],
  ["fe80::1", "fe80:0:0:0::/64"],
])("%s counts as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each([
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["10.0.0.1", false],
  ["::2", false],
])("%s is loopback: %s", (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
