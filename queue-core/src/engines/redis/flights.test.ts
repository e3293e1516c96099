import { describe, expect, test } from "vitest";
import { Flights } from "./flights.ts";
import { GatheredFields } from "./gathered-fields.ts";

/** Every turn of the event loop that a departure can take. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe("flights", () => {
  test("what one turn asks for leaves together", async () => {
    const flights = new Flights();
    const left: string[] = [];
    for (const name of ["a", "b"]) void flights.board().then(() => left.push(name));
    expect(left).toEqual([]);
    await turns();
    expect(left).toEqual(["a", "b"]);
  });

  test("who boards while answers are outstanding leaves once all have landed, with all who wait", async () => {
    const flights = new Flights();
    const lands = await Promise.all([flights.board(), flights.board()]);
    const left: string[] = [];
    for (const name of ["c", "d"]) void flights.board().then(() => left.push(name));
    lands[0]?.();
    await turns();
    expect(left).toEqual([]);
    lands[1]?.();
    await turns();
    expect(left).toEqual(["c", "d"]);
  });
});

function gathering(answer: (args: readonly unknown[]) => unknown = (args) => args.slice(1)) {
  const flights = new Flights();
  const commands: (readonly unknown[])[] = [];
  const fields = new GatheredFields({
    async fly(send) {
      const land = await flights.board();
      await send(0).finally(land);
    },
    async command(_command, args) {
      commands.push(args);
      return answer(args);
    },
  });
  return { flights, fields, commands };
}

describe("gathered fields", () => {
  test("what several ask of a hash until the flight leaves is one command, and each gets its own", async () => {
    const { fields, commands } = gathering();
    const answers = await Promise.all([
      fields.get("h", ["a"]),
      fields.get("other", ["x"]),
      fields.get("h", ["b", "c"]),
    ]);
    expect(answers).toEqual([["a"], ["x"], ["b", "c"]]);
    expect(commands).toEqual([
      ["h", "a", "b", "c"],
      ["other", "x"],
    ]);
  });

  test("who asks while a flight is under way goes with the next one", async () => {
    const { flights, fields, commands } = gathering();
    const land = await flights.board();
    const asked = [fields.get("h", ["a"]), fields.get("h", ["b"])];
    await turns();
    expect(commands).toEqual([]);
    land();
    await Promise.all(asked);
    expect(commands).toEqual([["h", "a", "b"]]);
  });

  test("a crowd's fields go at most 1,024 at once", async () => {
    const { fields, commands } = gathering();
    const asked = Array.from({ length: 3_000 }, (_, number) => fields.get("h", [`${number}`]));
    expect((await Promise.all(asked)).flat()).toEqual(Array.from({ length: 3_000 }, (_, number) => `${number}`));
    expect(commands.map(({ length }) => length - 1)).toEqual([1_024, 1_024, 952]);
  });

  test("more fields than that by one who asks go by themselves", async () => {
    const { fields, commands } = gathering();
    const many = Array.from({ length: 1_500 }, (_, number) => `${number}`);
    await Promise.all([fields.get("h", many), fields.get("h", ["last"])]);
    expect(commands.map(({ length }) => length - 1)).toEqual([1_500, 1]);
  });

  test("a command that fails fails those who asked for its hash, and no others", async () => {
    const { fields } = gathering(([key, ...rest]) => {
      if (key === "bad") throw new Error("refused");
      return rest;
    });
    const outcomes = await Promise.allSettled([fields.get("bad", ["a"]), fields.get("h", ["b"])]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  });
});
