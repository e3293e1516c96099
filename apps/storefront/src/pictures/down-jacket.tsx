import { Scene } from "./scene.tsx";

const rows = [
  { y: 228, x: 206, width: 188 },
  { y: 278, x: 212, width: 176 },
  { y: 328, x: 212, width: 176 },
  { y: 378, x: 208, width: 184 },
  { y: 428, x: 204, width: 192 },
  { y: 476, x: 204, width: 192 },
];
const sleeve = [0, 1, 2, 3, 4];

export function DownJacket() {
  return (
    <Scene name="down-jacket" shadow={{ from: 196, to: 404, reach: 280 }}>
      <g transform="rotate(13 196 250)">
        {sleeve.map((row) => (
          <rect
            key={row}
            className="o1"
            x={158 + row * 1.5}
            y={236 + row * 46}
            width={66 - row * 3}
            height="49"
            rx="22"
          />
        ))}
        {sleeve.map((row) => (
          <path key={row} className="quilt" d={`M${170 + row} ${283 + row * 46} h44`} />
        ))}
        <rect className="a3" x="166" y="460" width="50" height="16" rx="7" />
      </g>
      <g transform="rotate(-13 404 250)">
        {sleeve.map((row) => (
          <rect
            key={row}
            className="o3"
            x={376 + row * 1.5}
            y={236 + row * 46}
            width={66 - row * 3}
            height="49"
            rx="22"
          />
        ))}
        <rect className="a3" x="384" y="460" width="50" height="16" rx="7" />
      </g>
      {rows.map(({ y, x, width }) => (
        <g key={y}>
          <rect className="o2" x={x} y={y} width={width} height="53" rx="22" />
          <path className="o1" d={`M${x + 22} ${y} H${x + 62} V${y + 53} H${x + 22} a22 26 0 0 1 0 -53 Z`} />
          <path
            className="o3"
            d={`M${x + width - 22} ${y} H${x + width - 48} V${y + 53} H${x + width - 22} a22 26 0 0 0 0 -53 Z`}
          />
        </g>
      ))}
      <path className="quilt" d="M220 279 H380 M220 329 H380 M218 379 H382 M214 429 H386 M214 478 H386" />
      <path className="o3" d="M244 240 Q242 176 300 172 Q358 176 356 240 Q330 250 300 250 Q270 250 244 240 Z" />
      <path className="hood" d="M262 232 Q262 190 300 188 Q338 190 338 232 Q320 240 300 240 Q280 240 262 232 Z" />
      <path className="o1" d="M244 240 Q243 208 256 192 Q250 226 296 252 V264 Q262 260 244 240 Z" />
      <path className="o2" d="M356 240 Q357 208 344 192 Q350 226 304 252 V264 Q338 260 356 240 Z" />
      <rect className="a3" x="296" y="250" width="8" height="270" />
      <rect className="a2" x="295" y="300" width="10" height="26" rx="5" />
      <rect className="a3" x="206" y="513" width="188" height="9" rx="4.5" />
    </Scene>
  );
}
