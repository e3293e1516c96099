import { Scene } from "./scene.tsx";

export function FilmCamera() {
  return (
    <Scene name="film-camera" shadow={{ from: 136, to: 464, reach: 170 }}>
      <path
        className="a2-line"
        strokeWidth="13"
        strokeLinecap="round"
        d="M142 366 C66 372 36 470 84 514 C116 542 150 544 196 548"
      />
      <path className="a1-line" strokeWidth="4" strokeLinecap="round" d="M138 362 C62 370 32 470 80 512" />
      <rect className="s3" x="166" y="300" width="52" height="26" rx="5" />
      <rect className="s1" x="166" y="300" width="20" height="26" rx="5" />
      <rect className="k" x="392" y="300" width="46" height="24" rx="4" />
      <rect className="a2" x="366" y="306" width="18" height="16" rx="5" />
      <path className="s2" d="M244 326 L264 278 H336 L356 326 Z" />
      <path className="s1" d="M244 326 L264 278 H284 L272 326 Z" />
      <path className="s3" d="M356 326 L336 278 H322 L334 326 Z" />
      <rect className="s2" x="136" y="320" width="328" height="200" rx="18" />
      <path className="s1" d="M154 320 H206 V372 H136 V338 Q136 320 154 320 Z" />
      <path className="s3" d="M420 320 H446 Q464 320 464 338 V372 H420 Z" />
      <rect className="k" x="136" y="368" width="328" height="128" />
      <rect className="k2" x="136" y="368" width="62" height="128" />
      <path className="s3" d="M136 496 h328 v6 q0 18 -18 18 h-292 q-18 0 -18 -18 Z" />
      <rect className="glass" x="392" y="334" width="44" height="22" rx="3" />
      <circle className="s1" cx="300" cy="428" r="88" />
      <path className="s3" d="M300 340 a88 88 0 0 1 0 176 Z" />
      <circle className="k" cx="300" cy="428" r="78" />
      <circle className="s3" cx="300" cy="428" r="58" />
      <circle className="k" cx="300" cy="428" r="52" />
      <circle className="glass" cx="300" cy="428" r="38" />
      <path className="glint" d="M300 398 a30 30 0 0 0 -30 30 h12 a18 18 0 0 1 18 -18 Z" />
      <circle className="glint" cx="316" cy="444" r="5" />
      <path className="ticks" d="M300 354 v12 M256 366 l6 11 M344 366 l-6 11" />
    </Scene>
  );
}
