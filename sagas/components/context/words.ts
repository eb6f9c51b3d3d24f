/** Words that tell nothing of what a text is about. */
const COMMON = new Set(
  `a an and are as at be been but by can do does for from had has have he if in into is it its may more most must no not of on one only
   or other our over she so some such than that the their them then there these they this to too up was we were what when where which
   who whose why will with would you your add added adds fix fixes fixed use used uses using make makes made new now also
   all any each every own const let var return import export function true false null undefined async await self int void string type`.split(
    /\s+/,
  ),
);

/** Letters of any script, then digits, too. What is no letter and below À separates. */
const WORD = /[A-Za-z\u00c0-\uffff][\dA-Za-z\u00c0-\uffff]*/g;
/** `camelCase`, `HTTPServer` and `utf8` in their parts. */
const PART = /[A-Z]{1,80}(?![a-z\u00e0-\u00ff])|[A-Z]?[^A-Z\d]+|\d+/g;

const LONGEST = 40;
/** What is longer was made by a program. */
const LONGEST_WORD = 80;
const MOST_KEPT = 50_000;
const known = new Map<string, readonly string[]>();

/** The stems that one identifier or word is made of, and of more than one part the whole, too. */
export function partsOf(word: string): readonly string[] {
  if (word.length > LONGEST_WORD) return [];
  const found = known.get(word);
  if (found !== undefined) return found;
  const parts = (word.match(PART) ?? [])
    .map((part) => part.toLowerCase())
    .filter(isTelling)
    .map(stem);
  const whole = word.toLowerCase();
  const all = parts.length > 1 && whole.length <= LONGEST ? [...parts, whole] : parts;
  if (known.size >= MOST_KEPT) known.clear();
  known.set(word, all);
  return all;
}

const isTelling = (part: string): boolean =>
  part.length > 1 && part.length <= LONGEST && !COMMON.has(part) && !/^\d+$/.test(part);

/** Every word of a text as stems, as often as they stand in it. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const word of text.match(WORD) ?? []) for (const part of partsOf(word)) words.push(part);
  return words;
}

/** How often each word stands in a text. */
export function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of text.match(WORD) ?? [])
    for (const part of partsOf(word)) counts.set(part, (counts.get(part) ?? 0) + 1);
  return counts;
}

/** `merges`, `merging` and `merged` are one word: what is cut is right more often than not, and the same on both sides. */
function stem(word: string): string {
  if (word.length < 4) return word;
  let cut = word.replace(/ies$/, 'y').replace(/(?<=[^su])s$/, '');
  if (cut.length > 5) {
    const shorter = cut.replace(/(?:ing|ed|ion)$/, '');
    if (/[aeiouy]/.test(shorter)) cut = shorter;
  }
  return cut.replace(/([b-df-hj-km-rtv-z])\1$/, '$1').replace(/(?<=...)e$/, '');
}
