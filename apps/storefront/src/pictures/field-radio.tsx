import { Scene } from "./scene.tsx";

const slots = [-44, -33, -22, -11, 0, 11, 22, 33, 44];
const marks = [0, 1, 2, 3, 4, 5, 6, 7];
const speakerRadius = 58;

export function FieldRadio() {
  return (
    <Scene name="field-radio" shadow={{ from: 144, to: 456, reach: 200 }}>
      <path className="s2-line" strokeWidth="7" strokeLinecap="round" d="M414 334 L482 112" />
      <path className="s1-line" strokeWidth="3" strokeLinecap="round" d="M412 332 L480 112" />
      <circle className="a2" cx="483" cy="108" r="9" />
      <path
        className="k-line"
        strokeWidth="15"
        strokeLinejoin="round"
        d="M196 334 V296 Q196 276 216 276 H352 Q372 276 372 296 V334"
      />
      <rect className="k" x="176" y="510" width="44" height="12" rx="4" />
      <rect className="k" x="380" y="510" width="44" height="12" rx="4" />
      <rect className="o2" x="144" y="328" width="312" height="188" rx="22" />
      <path className="o1" d="M166 328 H190 V516 H166 Q144 516 144 494 V350 Q144 328 166 328 Z" />
      <path className="o3" d="M434 328 H420 V516 H434 Q456 516 456 494 V350 Q456 328 434 328 Z" />
      <circle className="o3" cx="252" cy="422" r="68" />
      <circle className="k" cx="252" cy="422" r="62" />
      {slots.map((dy) => {
        const half = Math.round(Math.sqrt(speakerRadius ** 2 - dy ** 2)) - 4;
        return <path key={dy} className="slot" d={`M${252 - half} ${422 + dy} h${half * 2}`} />;
      })}
      <rect className="k" x="332" y="352" width="92" height="64" rx="8" />
      <rect className="dial" x="338" y="358" width="80" height="52" rx="4" />
      {marks.map((mark) => (
        <path key={mark} className="dial-mark" d={`M${346 + mark * 9.2} 366 v${mark % 2 === 0 ? 14 : 8}`} />
      ))}
      <path className="a2-line" strokeWidth="4" d="M388 362 V406" />
      <circle className="k" cx="354" cy="464" r="24" />
      <circle className="k2" cx="351" cy="461" r="16" />
      <circle className="k" cx="408" cy="464" r="16" />
      <path className="slot" d="M354 444 v14 M408 452 v10" />
    </Scene>
  );
}
