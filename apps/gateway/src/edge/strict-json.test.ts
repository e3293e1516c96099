import { expect, test } from "vitest";
import { parseStrictJson } from "./strict-json.ts";

test.each([
  '{"a":1,"b":{"a":2}}',
  '[{"a":1},{"a":1}]',
  '{"a":"b:\\"a\\":1"}',
  "null",
  "12",
  '"__proto__"',
  '["__proto__","a:"]',
])("takes %s as JSON.parse does", (text) => {
  expect(parseStrictJson(text)).toEqual(JSON.parse(text));
});

test.each([
  '{"a":1,"a":1}',
  '{"a":{"b":1, "b" :2}}',
  '[{"x":[{"a":1,"\\u0061":2}]}]',
  '{"__proto__":1}',
  '{"\\u005f_proto__":1}',
  '{"a":{"constructor":1}}',
  "{",
  "",
])("refuses %s", (text) => {
  expect(() => parseStrictJson(text)).toThrow(SyntaxError);
});
