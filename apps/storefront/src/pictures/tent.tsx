import { Scene } from "./scene.tsx";

export function Tent() {
  return (
    <Scene name="tent" shadow={{ from: 150, to: 520, reach: 150 }}>
      <path className="guy" d="M242 236 L58 536 M430 262 L586 516" />
      <path className="peg" d="M52 524 L64 546 M580 504 L592 528" />
      <path className="o3" d="M242 248 L430 272 L540 502 L392 520 Z" />
      <path className="o2" d="M242 248 L430 272 L468 352 L300 352 Z" />
      <path className="tent-seam" d="M318 258 L456 512" />
      <path className="o1" d="M242 248 L96 520 H392 Z" />
      <path className="o2" d="M242 248 L392 520 H246 Z" />
      <path className="hood" d="M242 298 L186 520 H308 Z" />
      <path className="o3" d="M242 298 L308 520 H290 Q262 420 242 298 Z" />
      <path className="a2" d="M242 290 L172 520 H194 Q226 420 246 300 Z" />
      <path className="a1" d="M242 290 L172 520 H180 Q220 410 243 296 Z" />
      <circle className="a3" cx="205" cy="424" r="5" />
      <path className="pole" d="M242 228 V252 M430 254 V274" />
      <path className="a2" d="M242 228 L282 236 L242 246 Z" />
      <path className="o3" d="M96 520 h296 v5 h-296 Z" />
    </Scene>
  );
}
