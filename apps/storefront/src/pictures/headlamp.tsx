import { Scene } from "./scene.tsx";

export function Headlamp() {
  return (
    <Scene name="headlamp" shadow={{ from: 190, to: 456, reach: 190 }}>
      <path className="beam" d="M206 436 L-700 250 L-700 720 L206 488 Z" />
      <path className="o3" d="M228 430 C214 226 374 214 384 372 L348 372 C342 262 258 262 266 430 Z" />
      <path className="o1" d="M228 430 C222 316 264 256 312 252 C278 270 254 324 250 430 Z" />
      <path className="o3" d="M166 396 A152 66 0 0 1 470 396 L470 448 A152 66 0 0 0 166 448 Z" />
      <path className="a3" d="M166 414 A152 66 0 0 1 470 414 L470 428 A152 66 0 0 0 166 428 Z" />
      <path className="o2" d="M166 396 A152 66 0 0 0 470 396 L470 448 A152 66 0 0 1 166 448 Z" />
      <path className="a2" d="M166 414 A152 66 0 0 0 470 414 L470 430 A152 66 0 0 1 166 430 Z" />
      <path className="o3" d="M410 441 A152 66 0 0 0 470 396 L470 448 A152 66 0 0 1 410 493 Z" />
      <path className="a3" d="M410 459 A152 66 0 0 0 470 414 L470 430 A152 66 0 0 1 410 475 Z" />
      <rect className="a2" x="228" y="394" width="46" height="20" rx="6" />
      <rect className="k" x="178" y="408" width="158" height="112" rx="30" />
      <path className="k2" d="M208 408 H236 V520 H208 Q178 520 178 490 V438 Q178 408 208 408 Z" />
      <circle className="s2" cx="240" cy="464" r="43" />
      <circle className="a1" cx="240" cy="464" r="34" />
      <path className="lens-glint" d="M240 430 a34 34 0 0 0 -34 34 h14 a20 20 0 0 1 20 -20 Z" />
      <circle className="s3" cx="306" cy="450" r="13" />
      <circle className="s1" cx="306" cy="450" r="8" />
      <rect className="s3" x="296" y="478" width="20" height="6" rx="3" />
    </Scene>
  );
}
