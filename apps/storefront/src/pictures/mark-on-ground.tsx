import { Scene } from "./scene.tsx";

/** Stands in for a product whose picture nobody has drawn: the shop's own mark as an object. */
export function MarkOnGround() {
  return (
    <Scene name="mark" shadow={{ from: 130, to: 470, reach: 180 }}>
      <path className="o2" d="M130 520 L244 300 H356 L470 520 Z" />
      <path className="o1" d="M130 520 L244 300 H276 L206 520 Z" />
      <path className="o3" d="M470 520 L356 300 H330 L384 520 Z" />
      <rect className="a2" x="220" y="262" width="160" height="10" />
    </Scene>
  );
}
