/**
 * Follows records as start-up does, and checks what start-up takes on trust: that a group never stands beyond the end
 * of a partition. State entries are kept only as long as a snapshot is to be compared with them.
 */
import type { StateWrite } from "../src/engine.ts";
import { PartitionMessages } from "../src/engines/log/reading/partition-messages.ts";
import { SegmentList } from "../src/engines/log/reading/segment-list.ts";
import { LogFold } from "../src/engines/log/recovery/log-fold.ts";
import { Model } from "../src/engines/model.ts";

export class InspectionFold extends LogFold {
  readonly model: Model<PartitionMessages>;
  readonly namespaces = new Set<string>();
  #state: "kept" | "dropped";

  constructor(state: "kept" | "dropped") {
    const model = new Model<PartitionMessages>({ now: () => 0, createStore: () => new PartitionMessages() });
    super(model, new SegmentList(Number.POSITIVE_INFINITY, model));
    this.model = model;
    this.#state = state;
  }

  dropState(): void {
    this.#state = "dropped";
  }

  override advance(group: string, topicId: number, partition: number, to: number): void {
    super.advance(group, topicId, partition, to);
    const { end = 0 } = this.model.partitionOfTopicId(topicId, partition) ?? {};
    if (to > end) throw new RangeError(`group ${group} stands at ${to} of a partition that ends at ${end}`);
  }

  override put(write: StateWrite): void {
    if (this.#state === "dropped") return;
    this.namespaces.add(write.namespace);
    super.put(write);
  }
}
