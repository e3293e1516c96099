import { expect, test } from "vitest";
import { find } from "./find.ts";

const kettle = { names: ["Enamel kettle", "搪瓷水壶"], descriptions: ["Boils on a gas stove.", "用气炉烧水。"] };
const thermos = { names: ["Thermos", "保温壶"], descriptions: ["Tea stays hot.", "茶仍然是热的。"] };
const grinder = {
  names: ["Hand grinder", "手摇磨豆机"],
  descriptions: ["Fits inside the kettle.", "收进水壶里正好。"],
};
const shelf = [grinder, kettle, thermos];

test.each([
  ["kettle", [kettle, grinder]],
  ["  KETTLE enamel ", [kettle]],
  ["水壶", [kettle, grinder]],
  ["壶", [kettle, thermos, grinder]],
  ["ｔｈｅｒｍｏｓ", [thermos]],
  ["thermós", [thermos]],
  ["kettle thermos", []],
  ["kettle 搪瓷", [kettle]],
  [".*", []],
  ["", shelf],
])("%j finds what bears it in its name first, in either language", (query, expected) => {
  expect(find(shelf, query)).toEqual(expected);
});

test("a query of any length is answered", () => {
  expect(find(shelf, "x".repeat(1_000_000))).toEqual([]);
});
