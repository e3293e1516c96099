import { Scene } from "./scene.tsx";

export function EnamelKettle() {
  return (
    <Scene name="enamel-kettle" shadow={{ from: 182, to: 424, reach: 250 }}>
      <path className="k-line" strokeWidth="13" d="M216 350 C196 196 404 196 384 350" />
      <path className="a2-line" strokeWidth="24" strokeLinecap="round" d="M256 244 Q300 226 344 244" />
      <path className="a1-line" strokeWidth="7" strokeLinecap="round" d="M258 238 Q300 221 340 238" />
      <path className="o2" d="M214 366 L140 296 L102 316 Q148 368 184 470 Z" />
      <path className="o1" d="M214 366 L140 296 L124 304 L200 396 Z" />
      <path className="k" d="M140 296 L102 316 L98 309 L134 289 Z" />
      <path
        className="o2"
        d="M190 520 Q168 520 172 500 L214 350 Q218 332 238 332 H362 Q382 332 386 350 L428 500 Q432 520 410 520 Z"
      />
      <path className="o1" d="M190 520 Q168 520 172 500 L214 350 Q218 332 238 332 H258 L222 520 Z" />
      <path className="o3" d="M410 520 Q432 520 428 500 L386 350 Q382 332 362 332 H342 L366 520 Z" />
      <path className="o1" d="M234 326 Q240 292 300 288 Q360 292 366 326 Z" />
      <path className="o2" d="M300 288 Q360 292 366 326 H312 Z" />
      <rect className="k" x="222" y="322" width="156" height="12" rx="6" />
      <rect className="k" x="292" y="272" width="16" height="18" />
      <circle className="a2" cx="300" cy="264" r="15" />
      <path className="a1" d="M300 249 a15 15 0 0 0 -15 15 h9 a6 6 0 0 1 6 -6 Z" />
      <rect className="k" x="176" y="511" width="248" height="10" rx="5" />
      <g className="speck">
        <circle cx="262" cy="398" r="3" />
        <circle cx="300" cy="440" r="2.4" />
        <circle cx="330" cy="384" r="2.6" />
        <circle cx="282" cy="482" r="3" />
        <circle cx="344" cy="468" r="2.2" />
        <circle cx="244" cy="452" r="2.2" />
        <circle cx="316" cy="410" r="2" />
      </g>
    </Scene>
  );
}
