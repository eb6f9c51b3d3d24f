/** The beginning of an element; `text` follows it before anything else does. */
export type XmlTag = { readonly name: string; readonly attributes: Readonly<Record<string, string>>; text: string };

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/gy;
const ATTRIBUTE = /\s+([A-Za-z_][\w:.-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/gy;

/**
 * Walks over the elements of an XML document without a document type: entities of its own cannot be, so nothing grows and nothing is fetched.
 * @param enter called at each beginning @param leave at each end, with what began there, its text told
 * @returns what is wrong with it; null: nothing
 */
export function walkXml(
  text: string,
  { enter, leave }: { enter(tag: XmlTag, depth: number): void; leave(tag: XmlTag, depth: number): void },
): string | null {
  const open: XmlTag[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  let roots = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null)
      return text.startsWith('<!DOCTYPE', at) ? 'it has a document type' : `it is no XML at character ${at}`;
    at = TOKEN.lastIndex;
    const [, data, end, name, written = '', isEmpty, words] = match;
    const inside = open.at(-1);
    if (data !== undefined || words !== undefined) {
      if (inside !== undefined) inside.text += data ?? decoded(words ?? '');
      else if ((data ?? words ?? '').trim() !== '') return 'it has words outside of all elements';
    } else if (name !== undefined && end === '/') {
      if (inside?.name !== name) return `</${name}> ends what did not begin`;
      leave(inside, open.length);
      open.pop();
    } else if (name !== undefined) {
      if (open.length === 0 && ++roots > 1) return 'it has more than one root';
      const tag = { name, attributes: attributesOf(written), text: '' };
      enter(tag, open.length + 1);
      if (isEmpty === '/') leave(tag, open.length + 1);
      else open.push(tag);
    }
  }
  if (roots === 0) return 'it has no element';
  return open.length === 0 ? null : `<${open.at(-1)?.name}> has no end`;
}

const attributesOf = (written: string): Record<string, string> =>
  Object.fromEntries(
    [...written.matchAll(ATTRIBUTE)].map(([, name = '', one, two]) => [name, decoded(one ?? two ?? '')]),
  );

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const decoded = (text: string): string =>
  text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,4}));/gi,
    (all, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return NAMED[name] ?? all;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point > 0 && point <= 0x10_ff_ff ? String.fromCodePoint(point) : '';
    },
  );
