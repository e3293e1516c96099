import { Scene } from "./scene.tsx";

const beans = [
  [150, 508, -20],
  [186, 526, 24],
  [128, 534, 8],
  [214, 510, 60],
] as const;

export function HandGrinder() {
  return (
    <Scene name="hand-grinder" shadow={{ from: 244, to: 356, reach: 330 }}>
      <rect className="s3" x="292" y="178" width="16" height="52" rx="4" />
      <path className="s2" d="M286 190 L438 170 L440 184 L288 206 Z" />
      <path className="s1" d="M286 190 L438 170 L439 176 L287 197 Z" />
      <rect className="s3" x="428" y="158" width="10" height="16" />
      <path className="a2" d="M410 140 Q410 98 433 98 Q456 98 456 140 Q456 160 433 160 Q410 160 410 140 Z" />
      <path className="a1" d="M410 140 Q410 98 433 98 Q420 108 422 160 Q410 156 410 140 Z" />
      <path className="s2" d="M250 248 Q258 216 300 214 Q342 216 350 248 Z" />
      <path className="s3" d="M300 214 Q342 216 350 248 H316 Z" />
      <rect className="s2" x="244" y="246" width="112" height="274" rx="12" />
      <path className="s1" d="M256 246 H276 V520 H256 Q244 520 244 508 V258 Q244 246 256 246 Z" />
      <path className="s3" d="M326 246 H344 Q356 246 356 258 V508 Q356 520 344 520 H326 Z" />
      <path className="a2" d="M240 330 h120 v100 h-120 Z" />
      <path className="a1" d="M240 330 h34 v100 h-34 Z" />
      <path className="a3" d="M328 330 h32 v100 h-32 Z" />
      <path className="grain" d="M284 336 v88 M298 336 v88 M312 336 v88" />
      <path className="seam" d="M244 448 H356 M244 264 H356" />
      {beans.map(([x, y, turn]) => (
        <g key={x} transform={`translate(${x} ${y}) rotate(${turn})`}>
          <ellipse className="a3" rx="14" ry="9" />
          <path className="bean-cut" d="M-11 0 Q0 -4 11 0" />
        </g>
      ))}
    </Scene>
  );
}
