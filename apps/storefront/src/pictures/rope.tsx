import { Scene } from "./scene.tsx";

const strands = [
  { rx: 170, ry: 128, tone: "o3-line" },
  { rx: 156, ry: 115, tone: "o2-line" },
  { rx: 142, ry: 102, tone: "o1-line" },
  { rx: 128, ry: 89, tone: "o2-line" },
  { rx: 114, ry: 76, tone: "o1-line" },
  { rx: 100, ry: 63, tone: "o3-line" },
];
const wraps = [0, 1, 2, 3, 4, 5];

export function Rope() {
  return (
    <Scene name="rope" shadow={{ from: 196, to: 440, reach: 230 }}>
      {strands.map(({ rx, ry, tone }) => (
        <g key={rx}>
          <ellipse className={tone} cx="304" cy="385" rx={rx} ry={ry} strokeWidth="15" />
          <ellipse className="fleck" cx="304" cy="385" rx={rx} ry={ry} strokeDashoffset={rx * 3} />
        </g>
      ))}
      <path className="strand-shade" d="M474 385 A170 128 0 0 1 304 513 L304 448 A100 63 0 0 0 404 385 Z" />
      <path
        className="o1-line"
        strokeWidth="15"
        strokeLinecap="round"
        d="M336 250 C420 214 512 260 520 380 C526 462 480 520 520 538 C548 550 580 540 600 534"
      />
      <path className="fleck" d="M336 250 C420 214 512 260 520 380 C526 462 480 520 520 538 C548 550 580 540 600 534" />
      <path className="a3-line" strokeWidth="17" d="M584 539 L602 533" />
      {wraps.map((row) => (
        <rect
          key={row}
          className={row % 2 === 0 ? "a2" : "a3"}
          x="268"
          y={240 + row * 15.5}
          width="72"
          height="17"
          rx="8"
        />
      ))}
      <path className="a1" d="M268 240 h16 v95 h-16 q-6 -48 0 -95 Z" />
      <path className="a2-line" strokeWidth="13" d="M284 244 C272 186 336 186 324 244" />
    </Scene>
  );
}
