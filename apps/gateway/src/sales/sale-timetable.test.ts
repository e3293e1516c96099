import { groups, stockCommands, stockKeys } from "@plateau/domain";
import { expect, test } from "vitest";
import { useBeds } from "../testing/gateway-bed.ts";
import { fillTimetable } from "./sale-timetable.ts";

const startBed = useBeds();

test("two that fill one timetable at once make each sale once, and the stock stage knows all of them", async () => {
  const bed = await startBed();
  await bed.db.product.deleteMany(); // The seed brings its own.
  await Promise.all([fillTimetable(bed.queue, bed.db), fillTimetable(bed.queue, bed.db)]);
  const rows = await bed.db.sale.findMany();
  expect(rows.length).toBeGreaterThan(5);
  expect(new Set(rows.map(({ productId, startsAt }) => `${productId} ${startsAt.getTime()}`)).size).toBe(rows.length);
  const state = bed.queue.state(groups.stock, stockCommands);
  await expect
    .poll(async () => {
      const known = await Promise.all(rows.map(({ id }) => state.get(id, stockKeys.sale(id))));
      return known.filter((stock) => stock !== undefined).length;
    })
    .toBe(rows.length);
});
