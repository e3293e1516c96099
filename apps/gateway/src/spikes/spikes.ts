/** Spikes at this gateway, where there is somebody who sends them. */
import type { FaultCatalogue } from "../faults/fault-catalogue.ts";
import type { Marks } from "../flow/marks.ts";
import type { Gateway } from "../gateway.ts";
import type { SaleOpening } from "../sales/sale-opening.ts";
import { SpikeRunner } from "./spike-runner.ts";
import { SpikeShoppers } from "./spike-shoppers.ts";

interface Parts {
  readonly opening: SaleOpening;
  readonly catalogue: FaultCatalogue;
  readonly marks: Marks;
}

export class Spikes {
  readonly #gateway: Gateway;
  readonly #parts: Parts;
  #runner: SpikeRunner | undefined;

  constructor(gateway: Gateway, parts: Parts) {
    this.#gateway = gateway;
    this.#parts = parts;
  }

  /** Undefined where none can be played, and until `open`. */
  get runner(): SpikeRunner | undefined {
    return this.#runner;
  }

  /** `url` is where this gateway listens. */
  async open(url: string): Promise<void> {
    const { queue, knobs, backlog, catalogue, log, options } = this.#gateway;
    if (options.spikePlayer === undefined) return;
    this.#runner = await SpikeRunner.open({
      ...this.#parts,
      engine: queue.engine,
      knobs,
      backlog,
      shoppers: new SpikeShoppers(this.#gateway),
      player: options.spikePlayer,
      goods: async () => {
        const [product] = await catalogue.products();
        if (product === undefined) throw new Error("the shop has no products");
        return { productId: product.id, priceCents: product.priceCents };
      },
      url: () => url,
      now: () => queue.now(),
      log,
    });
  }

  async stop(): Promise<void> {
    await this.#runner?.stop();
  }
}
