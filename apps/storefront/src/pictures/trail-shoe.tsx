import { Scene } from "./scene.tsx";

const lugs = Array.from({ length: 13 }, (_, index) => 142 + index * 27);

export function TrailShoe() {
  return (
    <Scene name="trail-shoe" shadow={{ from: 130, to: 492, reach: 160 }}>
      {lugs.map((x) => (
        <path key={x} className="k" d={`M${x} 506 h17 l-3 15 h-11 Z`} />
      ))}
      <path className="hood" d="M338 330 Q392 296 462 330 L458 366 Q400 392 350 352 Z" />
      <path
        className="o2"
        d="M120 484 Q110 438 166 424 Q226 410 262 366 L312 314 Q326 300 340 316 Q386 374 436 346 Q452 318 468 322 Q480 326 480 344 L496 484 Z"
      />
      <path className="o1" d="M166 424 Q226 410 262 366 L312 314 Q320 306 328 308 L282 388 Q236 440 180 452 Z" />
      <path className="o3" d="M436 346 Q452 318 468 322 Q480 326 480 344 L496 484 H408 Q444 430 436 346 Z" />
      <path className="k2" d="M120 484 Q110 438 166 424 L184 420 Q180 462 222 484 Z" />
      <path className="o1" d="M296 468 L324 408 H356 L384 468 H368 L346 422 H334 L312 468 Z" />
      <g className="a2-line" strokeWidth="10" strokeLinecap="round">
        <path d="M228 398 L264 424" />
        <path d="M252 374 L290 402" />
        <path d="M276 348 L316 378" />
        <path d="M300 324 L340 352" />
      </g>
      <path className="a2-line" strokeWidth="9" strokeLinecap="round" d="M472 326 q22 -8 18 16 q-2 14 -12 18" />
      <path className="s1" d="M112 484 Q300 470 500 482 Q506 484 506 492 L502 506 H128 Q110 502 112 484 Z" />
      <path className="a2" d="M114 496 Q300 484 505 496 L502 508 Q300 514 130 508 Q116 506 114 496 Z" />
      <path className="a3" d="M400 491 Q460 492 505 496 L502 508 Q450 511 400 511 Z" />
    </Scene>
  );
}
