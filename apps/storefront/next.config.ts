import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=(), payment=()" },
];

/** What build.ts has compressed, for browsers that take it. */
const precompressed = [
  { source: "/_next/static/chunks/:file(.*\\.js)", type: "application/javascript; charset=UTF-8" },
  { source: "/_next/static/chunks/:file(.*\\.css)", type: "text/css; charset=UTF-8" },
].map(({ source, type }) => ({
  source,
  has: [{ type: "header" as const, key: "accept-encoding", value: ".*\\bbr\\b.*" }],
  destination: "/_next/static/chunks/:file.br",
  headers: [
    { key: "Content-Encoding", value: "br" },
    { key: "Content-Type", value: type },
    { key: "Vary", value: "Accept-Encoding" },
  ],
}));
const isBuild = process.env.NODE_ENV === "production";

const config: NextConfig = {
  output: "standalone",
  // The libraries are hoisted to the repository's root; without this the standalone folder would miss them.
  outputFileTracingRoot: repositoryRoot,
  turbopack: {
    root: repositoryRoot,
    // Messages are compiled when the server starts (src/language/server.ts): the browser needs no parser, 20 kB less.
    resolveAlias: { "use-intl/format-message": "use-intl/format-message/format-only" },
  },
  // Builds happen once after a clone or a change: writing a cache that nobody reads would cost more than it saves.
  experimental: { turbopackFileSystemCacheForBuild: false },
  // Types are a check of their own (`tsc -p apps/storefront`); whoever starts the demo need not wait for it.
  typescript: { ignoreBuildErrors: true },
  poweredByHeader: false,
  reactStrictMode: true,
  devIndicators: false,
  agentRules: false,
  async headers() {
    const compressed = precompressed.map(({ source, has, headers }) => ({ source, has, headers }));
    return [{ source: "/:path*", headers: securityHeaders }, ...(isBuild ? compressed : [])];
  },
  async rewrites() {
    const compressed = precompressed.map(({ source, has, destination }) => ({ source, has, destination }));
    return { beforeFiles: isBuild ? compressed : [], afterFiles: [], fallback: [] };
  },
};

export default config;
