/**
 * Names and descriptions of the goods in the visitor's language.
 *
 * The catalogue of the back end is in English and a product's id is the slug of its title there. A sale or an order
 * that bears its product's own title is named in the visitor's language; one with a title of its own keeps it, as
 * does a product that the messages do not know.
 */
import type { Translator } from "./translator.ts";

interface Titled {
  readonly productId: string;
  readonly title: string;
}

type Key = Parameters<Translator<"catalogue">>[0];

export interface ProductText {
  title(of: Titled): string;
  description(of: { readonly id: string; readonly description: string }): string;
}

export function createProductText(t: Translator<"catalogue">): ProductText {
  const say = (productId: string, part: "title" | "description"): string | undefined => {
    const key = `${productId}.${part}` as Key;
    return /^[a-z0-9-]+$/.test(productId) && t.has(key) ? t(key) : undefined;
  };
  return {
    title: ({ productId, title }) => (bearsItsOwn({ productId, title }) ? say(productId, "title") : undefined) ?? title,
    description: ({ id, description }) => say(id, "description") ?? description,
  };
}

const bearsItsOwn = ({ productId, title }: Titled) => title.toLowerCase().replaceAll(" ", "-") === productId;
