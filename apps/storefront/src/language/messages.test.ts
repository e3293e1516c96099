import { rejectionReasons } from "@plateau/domain/messages";
import { problems } from "@plateau/domain/problems";
import compile from "icu-minify/compile";
import { expect, test } from "vitest";
import { languages } from "./languages.ts";
import { messages } from "./messages.ts";

/** Every message by its path, `area.group.key`. */
function flat(tree: object, path: readonly string[] = []): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[[...path, key].join("."), value] as [string, string]] : flat(value, [...path, key]),
  );
}

/** Names of arguments and tags. A compiled message is a text or a list of nodes. */
const placeholders = (message: unknown): string[] => (Array.isArray(message) ? message.flatMap(namesInNode) : []);

/** `["name"]`, `["name", type, branches]`, `["tag", …children]`; a text or `#` names nothing. */
function namesInNode(node: unknown): string[] {
  if (!Array.isArray(node)) return [];
  const [name, second, third] = node as [string, unknown, unknown];
  if (typeof second !== "number") return [name, ...node.slice(1).flatMap(namesInNode)];
  return [name, ...(typeof third === "object" ? Object.values(third ?? {}).flatMap(placeholders) : [])];
}

const inAll = (tree: object) => flat(tree).toSorted(([a], [b]) => (a < b ? -1 : 1));
const english = inAll(messages.en);

test("a placeholder is found wherever it stands", () => {
  const text = "{n, plural, =1 {One} other {# of <b>{units}</b>}} at {time}, {count, number}";
  expect(placeholders(compile(text))).toEqual(["n", "b", "units", "time", "count"]);
});

test("there are messages", () => {
  expect(english.length).toBeGreaterThan(150);
});

test.each(languages)("%s holds the same keys as English, each with the same placeholders", (language) => {
  const own = inAll(messages[language]);
  expect(own.map(([key]) => key)).toEqual(english.map(([key]) => key));
  const named = (text: string) => [...new Set(placeholders(compile(text)))].toSorted();
  const unequal = own.filter(([, text], index) => `${named(text)}` !== `${named(english[index]?.[1] ?? "")}`);
  expect(unequal).toEqual([]);
});

test.each(languages)("%s is calm: nothing is empty, nothing shouts", (language) => {
  const loud = flat(messages[language]).filter(([, text]) => text.trim() === "" || /[!！]|\.\.\.|……/.test(text));
  expect(loud).toEqual([]);
});

test("Chinese is written with Chinese marks and without English left over", () => {
  const half = flat(messages.zh).filter(([, text]) => /[一-鿿][,.;:?]|[,.;?](?=[一-鿿])/.test(text));
  expect(half).toEqual([]);
  const names = /Plateau|HTTP|Cookie|SMS|IP|API|ISO|p50|p95|p99|Redis|Kafka|PostgreSQL|BullMQ|SSE|k6/g;
  const untranslated = flat(messages.zh).filter(([, text]) => {
    const spoken = text.replaceAll(/\{[^{}]*\}|<\/?\w+>/g, "").replaceAll(names, "");
    return /[A-Za-z]{4,}/.test(spoken) && !/\{/.test(spoken);
  });
  expect(untranslated).toEqual([]);
});

test("every problem of the gateway and every reason of a rejection has its sentence", () => {
  expect(Object.keys(messages.en.errors.problem)).toEqual(expect.arrayContaining(Object.keys(problems)));
  expect(Object.keys(messages.en.errors.rejection)).toEqual(expect.arrayContaining([...rejectionReasons]));
  expect(Object.keys(messages.en.errors.refusal)).toEqual(expect.arrayContaining([...rejectionReasons]));
});
