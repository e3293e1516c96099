/** Faults between the system and what it works on: half-open connections, and a slow way. */
import type { TcpProxy } from "../tcp-proxy.ts";
import type { Fault, Ground } from "./fault.ts";

const heldMs = 2_500;
const slow = { lagMs: 150, lengthMs: 3_000 };

export function networkFaults(target: string): readonly Fault[] {
  return [
    {
      name: `half-open connections to the ${target}`,
      lengthMs: heldMs,
      impossible: undefined,
      notAt: "idle",
      async strike(ground) {
        const proxy = proxyTo(ground, target);
        proxy.hold();
        return {
          heal: async () => proxy.release(),
          evidence: () => swallowed(proxy, "went nowhere"),
        };
      },
    },
    {
      name: `slow way to the ${target}`,
      lengthMs: slow.lengthMs,
      impossible: undefined,
      notAt: "idle",
      async strike(ground) {
        const proxy = proxyTo(ground, target);
        proxy.lag(slow.lagMs);
        return {
          heal: async () => proxy.release(),
          evidence: () => swallowed(proxy, `came ${slow.lagMs} ms late`),
        };
      },
    },
  ];
}

function swallowed({ hitBytes }: TcpProxy, what: string): string | undefined {
  return hitBytes === 0 ? undefined : `${hitBytes} bytes ${what}`;
}

function proxyTo({ proxies }: Ground, target: string): TcpProxy {
  const proxy = proxies.get(target);
  if (proxy === undefined) throw new Error(`there is no proxy to the ${target}`);
  return proxy;
}
