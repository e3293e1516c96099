/**
 * `npm run chaos -- --seed N --minutes M [--profile processes|embedded]`: rounds of load and one fault each until the
 * minutes are over, a line each, then the audit of everything. Exit code 0 only where the verdict is `pass`.
 *
 * The seed repeats the schedule and what each shopper wants; not the machine's own timing.
 */
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { auditLines, type Verdict } from "@plateau/domain";
import { Api } from "../driver/api.ts";
import { seededRandom } from "../driver/seeded-random.ts";
import { type Profile, startEmbedded, startManyProcesses } from "./profile.ts";
import { playRound } from "./round.ts";
import { roundsOf } from "./schedule.ts";
import { verdictOfRound, verdictOfRun } from "./verdict.ts";

const profiles = { embedded: startEmbedded, processes: startManyProcesses } as const;
type ProfileName = keyof typeof profiles;

interface Order {
  readonly seed: number;
  readonly minutes: number;
  readonly profile: ProfileName;
  /** Only faults whose name contains it. */
  readonly only: string | undefined;
}

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort(new Error(signal)));

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(stopping.signal.aborted ? "stopped" : error);
  return 1;
});
// A connection that was made to hang must not keep a run alive that is over.
process.exit();

async function main(args: readonly string[]): Promise<number> {
  const order = readOrder(args);
  const { seed, minutes, profile } = order;
  const folder = mkdtempSync(join(tmpdir(), "plateau-chaos-"));
  console.log(`chaos on the ${profile} profile, seed ${seed}, ${minutes} minutes`);
  let verdict: Verdict = "unknown";
  const system = await profiles[profile](mkdirIn(folder), stopping.signal);
  try {
    verdict = await strikeAndAudit(order, system, folder);
  } finally {
    await system.stop();
    if (verdict === "pass") rmSync(folder, { recursive: true, force: true });
  }
  console.log(`chaos: ${verdict}`);
  if (verdict !== "pass") console.log(`--seed ${seed} repeats the schedule; histories and logs are in ${folder}`);
  return verdict === "pass" ? 0 : 1;
}

async function strikeAndAudit({ seed, minutes, only }: Order, profile: Profile, folder: string): Promise<Verdict> {
  const random = seededRandom(seed);
  const wanted = profile.faults.filter(({ name }) => only === undefined || name.includes(only));
  const possible = wanted.filter(({ impossible }) => impossible === undefined);
  for (const { name, impossible } of wanted)
    if (impossible !== undefined) console.log(`left out: ${name}: ${impossible}`);
  if (possible.length === 0)
    throw new Error(`there is no fault to try among ${profile.faults.map(({ name }) => name).join(", ")}`);
  const verdicts: Verdict[] = [];
  const untilMs = performance.now() + minutes * 60_000;
  let number = 0;
  for (const round of roundsOf(possible, random)) {
    number++;
    console.log(`round ${number}: ${round.fault.name} at ${round.moment}`);
    const report = await playRound(round, { ground: profile.ground, random, folder, number });
    const { verdict, reasons } = verdictOfRound(report);
    verdicts.push(verdict);
    console.log(
      `  ${verdict}: ${report.evidence ?? "nothing shows it"}, ${report.callsHit} calls hit, ${report.gotOn} got on`,
    );
    for (const reason of reasons) console.log(`          ${reason}`);
    if (verdict === "fail" || performance.now() >= untilMs) break;
  }
  const audit = await new Api(profile.ground.system, stopping.signal).auditOfAll();
  for (const line of auditLines(audit)) console.log(line);
  return verdictOfRun([...verdicts, audit.verdict]);
}

function mkdirIn(folder: string): string {
  const path = join(folder, "system");
  mkdirSync(path);
  return path;
}

/** Throws an error of one line. */
function readOrder(args: readonly string[]): Order {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      minutes: { type: "string", default: "5" },
      profile: { type: "string", default: "processes" },
      only: { type: "string" },
    },
  });
  const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed is a whole number, not "${values.seed}"`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes is a number above 0, not "${values.minutes}"`);
  if (!Object.hasOwn(profiles, values.profile)) {
    throw new Error(`--profile is ${Object.keys(profiles).join(" or ")}, not "${values.profile}"`);
  }
  return { seed, minutes, profile: values.profile as ProfileName, only: values.only };
}
