import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineTopic, openLogEngine, openQueue } from "queue-core";

const directory = mkdtempSync(join(tmpdir(), "queue "));
const orders = defineTopic<string>({ name: "orders", partitions: 1, keyOf: (order) => order });
const open = async () => openQueue({ engine: await openLogEngine({ directory }), topics: [orders] });

const before = await open();
// Resolves once the message is on the disk; the id makes this send repeatable.
await before.publish(orders, "o-1", { id: "send-1" });
await before.stop();

const after = await open();
const again = await after.publish(orders, "o-1", { id: "send-1" });
console.log(again.duplicate);
// → true
const stored = await after.browse(orders, 0, 0, 10);
console.log(stored.map(({ offset, value }) => `${offset} ${value}`));
// → [ '0 o-1' ]
await after.stop();
rmSync(directory, { recursive: true });
