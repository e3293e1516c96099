import { Scene } from "./scene.tsx";

/** A band around the roll, following its round left end. */
const band = (x: number, width: number, top: number, bottom: number) => {
  const rise = 95;
  const at = (y: number) => Math.round(50 * Math.sqrt(1 - ((y - 425) / rise) ** 2));
  const curve = `A50 95 0 0 0 ${x - at(bottom)} ${bottom}`;
  const back = `A50 95 0 0 1 ${x + width - at(top)} ${top}`;
  return `M${x - at(top)} ${top} ${curve} h${width} ${back} Z`;
};

export function WoolBlanket() {
  return (
    <Scene name="wool-blanket" shadow={{ from: 160, to: 440, reach: 200 }}>
      <path className="b-line" strokeWidth="13" d="M222 334 C226 268 364 268 368 334" />
      <path className="o2" d="M168 330 H428 V520 H168 A50 95 0 0 1 168 330 Z" />
      <path className="o1" d="M168 330 H428 V372 H126 Q138 334 168 330 Z" />
      <path className="o3" d="M128 482 H428 V520 H168 Q140 514 128 482 Z" />
      {[190, 218, 366, 394].map((x, index) => (
        <g key={x}>
          <path className="a2" d={band(x, index % 3 === 0 ? 20 : 9, 330, 520)} />
          <path className="a3" d={band(x, index % 3 === 0 ? 20 : 9, 482, 520)} />
          <path className="a1" d={band(x, index % 3 === 0 ? 20 : 9, 330, 372)} />
        </g>
      ))}
      {[256, 340].map((x) => (
        <g key={x}>
          <path className="b2" d={band(x, 20, 330, 520)} />
          <path className="b1" d={band(x, 20, 330, 372)} />
          <rect className="buckle" x={x - 54} y="404" width="28" height="36" rx="5" />
        </g>
      ))}
      <ellipse className="o3" cx="428" cy="425" rx="52" ry="95" />
      <ellipse className="o1" cx="431" cy="425" rx="48" ry="91" />
      <ellipse className="spiral" cx="431" cy="427" rx="37" ry="72" />
      <ellipse className="spiral" cx="431" cy="429" rx="26" ry="52" />
      <ellipse className="spiral" cx="431" cy="431" rx="15" ry="32" />
      <ellipse className="a3" cx="431" cy="432" rx="6" ry="13" />
    </Scene>
  );
}
