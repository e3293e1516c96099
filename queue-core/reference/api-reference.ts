/**
 * The text of API.md, made from the sources: every public export with its declaration and doc comment, in groups.
 *
 * What can go wrong: an export of a file that no group names would be missing. Promise: it comes under "Everything
 * else" until a group names its file.
 */
import { type PublicExport, publicExports } from "./public-exports.ts";

interface Group {
  readonly title: string;
  /** `file`, or `file: section` for a part of it that stands below a `// --- section ---`. */
  readonly from: readonly string[];
}

const groups: readonly Group[] = [
  { title: "Opening a queue", from: ["open-queue.ts", "queue.ts: the queue"] },
  { title: "Topics", from: ["topic.ts"] },
  { title: "Messages and publishing", from: ["queue.ts"] },
  { title: "Consuming, at least once", from: ["queue.ts: consume: at least once, for work with outside effects"] },
  { title: "Deciding, exactly once", from: ["queue.ts: process: exactly once, for decisions"] },
  { title: "Request and reply", from: ["queue.ts: request/reply"] },
  { title: "Half messages", from: ["queue.ts: half messages"] },
  { title: "Groups", from: ["group-registry.ts", "namespaces.ts"] },
  { title: "Interceptors and sequence numbers", from: ["interceptors.ts", "sequence-numbers.ts"] },
  {
    title: "Token bucket",
    from: ["token-bucket.ts", "queue.ts: token bucket", "shared-token-bucket.ts", "token-leases.ts"],
  },
  { title: "Errors", from: ["errors.ts"] },
  {
    title: "Engines",
    from: [
      "engines/log/open-log-engine.ts",
      "engines/memory.ts",
      "engines/port/serve-engine.ts",
      "engines/port/connect-engine.ts",
    ],
  },
  {
    title: "The Redis engine, from queue-core/redis",
    from: [
      "engines/redis/open-redis-engine.ts",
      "engines/redis/redis-engine.ts",
      "engines/redis/connection.ts",
      "engines/redis/upkeep.ts",
      "engines/redis/operations.ts",
      "engines/redis/settings.ts",
      "engines/redis/data-identity.ts",
      "engines/redis/accept-data-loss.ts",
      "engines/redis/private-redis.ts",
    ],
  },
  { title: "Time", from: ["engines/clock.ts", "timers.ts"] },
  { title: "The engine port", from: ["engine.ts"] },
];

export const command = "node queue-core/reference/generate.ts";

export function apiReference(): string {
  const exports = publicExports();
  const placed = groups.map((group) => ({ title: group.title, members: membersOf(group, exports) }));
  const rest = exports.filter((found) => placed.every(({ members }) => !members.includes(found)));
  if (rest.length > 0) placed.push({ title: "Everything else", members: rest });
  const linkTo = linker(placed.flatMap(({ title, members }) => [title, ...members.map(({ name }) => name)]));
  return [
    "# API of queue-core",
    "",
    `Every export of \`queue-core\` and \`queue-core/redis\`, made from [their](src/index.ts) [sources](src/engines/redis/index.ts) by \`${command}\`;`,
    "a test checks that it is current. What it is all for stands in the [README](README.md).",
    "",
    ...placed.map(
      ({ title, members }) =>
        `- **${linkTo(title)}**: ${members.map(({ name }) => linkTo(name, `\`${name}\``)).join(", ")}`,
    ),
    ...placed.flatMap(({ title, members }) => ["", `## ${title}`, ...members.flatMap(entryOf)]),
    "",
  ].join("\n");
}

/** What is called comes before what it takes and gives. */
function membersOf(group: Group, exports: readonly PublicExport[]): readonly PublicExport[] {
  const rank = ({ signature }: PublicExport) => (/^(function|const|class) /.test(signature) ? 0 : 1);
  return exports.filter((found) => isIn(found, group)).sort((one, other) => rank(one) - rank(other));
}

function isIn({ file, section }: PublicExport, { from }: Group): boolean {
  return from.includes(section === undefined ? file : `${file}: ${section}`);
}

/** Links to headings, given all of them in order: of those that differ in capitals alone, the later ones are numbered. */
function linker(headings: readonly string[]): (heading: string, label?: string) => string {
  const taken = new Map<string, number>();
  const anchors = new Map<string, string>();
  for (const heading of headings) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, "")
      .replaceAll(" ", "-");
    const before = taken.get(anchor) ?? 0;
    taken.set(anchor, before + 1);
    anchors.set(heading, before === 0 ? anchor : `${anchor}-${before}`);
  }
  return (heading, label = heading) => `[${label}](#${anchors.get(heading)})`;
}

function entryOf({ comment, file, name, signature }: PublicExport): readonly string[] {
  return [
    "",
    `### \`${name}\``,
    ...(comment === undefined ? [] : ["", comment]),
    "",
    "```ts",
    signature,
    "```",
    "",
    `[${file}](src/${file})`,
  ];
}
