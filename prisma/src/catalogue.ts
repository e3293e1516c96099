/** The goods of the shop. The order is that of the shelf; `picture` names the drawing. Prices are regular ones, in cents. */
export interface CatalogueProduct {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly picture: string;
  readonly priceCents: number;
}

const product = (id: string, title: string, priceCents: number, description: string): CatalogueProduct => ({
  id,
  title,
  description,
  picture: id,
  priceCents,
});

export const catalogue: readonly CatalogueProduct[] = [
  product(
    "enamel-kettle",
    "Enamel kettle",
    4_900,
    "1.2 litres, two coats of enamel on steel. Boils in six minutes on a gas stove at 3,000 m. The lid stays on when you pour.",
  ),
  product(
    "headlamp",
    "Headlamp",
    6_400,
    "350 lumens, 78 g with the battery. One button, three steps, a red light for reading maps. Runs 40 hours on the middle step.",
  ),
  product(
    "wool-blanket",
    "Wool blanket",
    12_800,
    "Woven from undyed highland wool, 140 by 200 cm, 1.4 kg. Warm when damp. Airing it overnight is enough; it is washed twice a year.",
  ),
  product(
    "hand-grinder",
    "Hand grinder",
    8_900,
    "Steel burrs, 24 settings, 20 g of coffee in forty seconds. Takes apart without tools and fits inside the kettle.",
  ),
  product(
    "down-jacket",
    "Down jacket",
    32_000,
    "800-fill down, 310 g, packs into its own pocket. Cut to be worn under a shell. Each one carries the number of its lot.",
  ),
  product(
    "film-camera",
    "Film camera",
    54_000,
    "35 mm film, a 40 mm lens, a mechanical shutter that works without a battery. Checked and adjusted by hand before it leaves us.",
  ),
  product(
    "thermos",
    "Thermos",
    3_900,
    "0.75 litres, double steel wall. Tea poured at six in the morning is still 62 degrees at six in the evening. Spare seals are included.",
  ),
  product(
    "trail-shoe",
    "Trail shoe",
    14_500,
    "4 mm lugs, a 6 mm drop, 270 g in size 42. Drains in two steps after a stream. Can be resoled once.",
  ),
  product(
    "cast-iron-pan",
    "Cast-iron pan",
    7_200,
    "24 cm, seasoned three times with flax oil. 2.1 kg: for the hut, not for the rucksack. It gets better for thirty years.",
  ),
  product(
    "rope",
    "Rope",
    18_900,
    "60 m, 9.2 mm, dry-treated sheath and core. The middle is marked. Comes with a card on which you log each fall.",
  ),
  product(
    "tent",
    "Tent",
    46_000,
    "Two people, three seasons, 1.6 kg. Inner and outer go up together, so it stays dry inside when pitched in rain.",
  ),
  product(
    "field-radio",
    "Field radio",
    21_500,
    "Medium wave, short wave and VHF. Runs on a crank, a battery or the sun. The dial is engraved, not printed.",
  ),
];
