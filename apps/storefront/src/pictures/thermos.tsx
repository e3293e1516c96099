import { Scene } from "./scene.tsx";

export function Thermos() {
  return (
    <Scene name="thermos" shadow={{ from: 232, to: 408, reach: 300 }}>
      <path
        className="k-line"
        strokeWidth="15"
        strokeLinejoin="round"
        d="M356 300 h38 q16 0 16 16 v106 q0 16 -16 16 h-38"
      />
      <path className="s2" d="M244 196 Q246 178 262 178 H338 Q354 178 356 196 L362 262 H238 Z" />
      <path className="s1" d="M244 196 Q246 178 262 178 H280 L270 262 H238 Z" />
      <path className="s3" d="M356 196 Q354 178 338 178 H328 L334 262 H362 Z" />
      <rect className="k" x="234" y="258" width="132" height="18" rx="4" />
      <path
        className="o2"
        d="M232 290 Q232 274 246 274 H354 Q368 274 368 290 V504 Q368 520 352 520 H248 Q232 520 232 504 Z"
      />
      <path className="o1" d="M232 290 Q232 274 246 274 H270 V520 H248 Q232 520 232 504 Z" />
      <path className="o3" d="M368 290 Q368 274 354 274 H330 V520 H352 Q368 520 368 504 Z" />
      <rect className="s3" x="232" y="486" width="136" height="12" />
      <rect className="s1" x="232" y="486" width="38" height="12" />
      <path className="emblem" d="M272 414 L288 378 H312 L328 414 Z M284 368 h32 v4 h-32 Z" />
      <path className="s2" d="M132 464 H206 L200 512 Q199 520 190 520 H148 Q139 520 138 512 Z" />
      <path className="s1" d="M132 464 H156 L162 520 H148 Q139 520 138 512 Z" />
      <path className="tea" d="M132 464 a37 8 0 0 1 74 0 a37 8 0 0 1 -74 0 Z" />
    </Scene>
  );
}
