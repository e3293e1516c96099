import { Scene } from "./scene.tsx";

export function CastIronPan() {
  return (
    <Scene name="cast-iron-pan" shadow={{ from: 180, to: 400, reach: 270 }}>
      <g transform="rotate(42 284 376)">
        <path className="o2" d="M262 250 L270 96 Q272 62 284 62 Q296 62 298 96 L306 250 Z" />
        <path className="o1" d="M262 250 L270 96 Q272 62 284 62 Q276 80 276 250 Z" />
        <path className="a2" d="M264 196 L268 98 Q284 90 300 98 L304 196 Q284 204 264 196 Z" />
        <path className="a1" d="M264 196 L268 98 Q273 95 278 94 L276 199 Z" />
        <path className="stitch" d="M294 106 L297 190" />
        <circle className="hole" cx="284" cy="80" r="7" />
      </g>
      <path className="o2" d="M136 348 L126 366 L140 396 Z M432 348 L442 366 L428 396 Z" />
      <circle className="o3" cx="284" cy="376" r="148" />
      <circle className="o1" cx="284" cy="376" r="146" />
      <path className="o2" d="M387 273 A146 146 0 0 1 181 479 Z" />
      <circle className="o3" cx="284" cy="376" r="130" />
      <circle className="o2" cx="287" cy="379" r="112" />
      <path className="o3" d="M366 302 A112 112 0 0 1 208 460 Q330 440 366 302 Z" />
      <path className="pan-glint" d="M196 352 A94 94 0 0 1 262 292" />
    </Scene>
  );
}
