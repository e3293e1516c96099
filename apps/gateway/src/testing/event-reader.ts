/** For tests: reads server-sent events as they come. */
export interface ReadEvent {
  readonly event: string;
  readonly data: unknown;
}

export class EventReader {
  readonly #abort = new AbortController();
  readonly #events: ReadEvent[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  static async open(url: string, token?: string): Promise<EventReader> {
    const reader = new EventReader();
    const answer = await fetch(url, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: reader.#abort.signal,
    });
    if (answer.status !== 200 || answer.body === null) throw new Error(`${url} answered ${answer.status}`);
    void reader.#read(answer.body);
    return reader;
  }

  /** The next event; undefined once the stream has ended. */
  async next(): Promise<ReadEvent | undefined> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined || this.#ended) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    try {
      for await (const chunk of body) {
        text += decoder.decode(chunk, { stream: true });
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) this.#take(block);
        this.#wake();
      }
    } catch {
      // Closed by us, or cut by the server: either way it is over.
    }
    this.#ended = true;
    this.#wake();
  }

  #take(block: string): void {
    const fields = new Map(block.split("\n").map((line) => [line.split(":")[0], line.slice(line.indexOf(":") + 2)]));
    const data = fields.get("data");
    if (data !== undefined) this.#events.push({ event: fields.get("event") ?? "message", data: JSON.parse(data) });
  }
}
