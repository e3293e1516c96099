/**
 * What buyers were told. A purchase has one answer for good, whoever asks, wherever, and how often.
 */
import type { World } from "../world.ts";
import type { Answer, PurchaseRequest } from "./topics.ts";

export class Answers {
  readonly #world: World;
  readonly #told = new Map<string, Answer>();

  constructor(world: World) {
    this.#world = world;
  }

  get all(): ReadonlyMap<string, Answer> {
    return this.#told;
  }

  told(request: PurchaseRequest, answer: Answer): void {
    this.#world.note("answer", `${request.uid}: ${answer.decision}`);
    if (answer.purchase !== request.purchase)
      this.#world.fail("a reply reaches who asked", `${request.uid} was told of ${answer.purchase}`);
    const known = this.#told.get(answer.purchase);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(answer)) {
      const [first, second] = [JSON.stringify(known), JSON.stringify(answer)];
      this.#world.fail("a purchase has one answer", `${answer.purchase}: ${first}, then ${second}`);
    }
    this.#told.set(answer.purchase, answer);
  }
}
