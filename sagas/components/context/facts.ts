/** Something that is defined in a file; lines count from 1. */
export type Definition = {
  readonly name: string;
  readonly line: number;
  readonly end: number;
  /** The line that begins it, cut. */
  readonly signature: string;
};

/** What is known of a file by its content alone, names and words as numbers of a dictionary. */
export type FileFacts = {
  readonly lines: number;
  readonly definitions: readonly Definition[];
  readonly imports: readonly string[];
  /** Names that it speaks of and does not define. */
  readonly references: Uint32Array;
  /** In rising order, so that one is found by halving. */
  readonly words: Uint32Array;
  readonly counts: Uint16Array;
  /** All words, as often as they stand there. */
  readonly length: number;
};

/** What a parser found. */
export type Parsed = {
  readonly lines: number;
  readonly definitions: readonly Definition[];
  readonly imports: readonly string[];
  readonly references: readonly string[];
  readonly words: ReadonlyMap<string, number>;
};

/** Gives each word a number, the same for as long as it lives. */
export type Dictionary = { numberOf(word: string): number; known(word: string): number | undefined };

export function createDictionary(): Dictionary {
  const numbers = new Map<string, number>();
  return {
    known: (word) => numbers.get(word),
    numberOf: (word) => {
      const found = numbers.get(word);
      if (found !== undefined) return found;
      numbers.set(word, numbers.size);
      return numbers.size - 1;
    },
  };
}

/** Of a blob by its id: a line of a file, and what goes from thread to thread. */
export const encodeFacts = (blob: string, { lines, definitions, imports, references, words }: Parsed): string =>
  JSON.stringify([
    blob,
    lines,
    definitions.map(({ name, line, end, signature }) => [name, line, end, signature]),
    imports,
    references.join(' '),
    [...words.keys()].join(' '),
    [...words.values()],
  ]);

type Encoded = [string, number, [string, number, number, string][], string[], string, string, number[]];

/** Null: the line is damaged. */
export function decodeFacts(text: string, dictionary: Dictionary): { blob: string; facts: FileFacts } | null {
  let encoded: Encoded;
  try {
    encoded = JSON.parse(text) as Encoded;
  } catch {
    return null;
  }
  const [blob, lines, definitions, imports, references, words, counts] = encoded;
  const numbers = (joined: string): number[] =>
    joined === '' ? [] : joined.split(' ').map((word) => dictionary.numberOf(word));
  const pairs = numbers(words).map((word, at) => [word, counts[at] ?? 1] as const);
  pairs.sort((one, other) => one[0] - other[0]);
  const facts: FileFacts = {
    lines,
    definitions: definitions.map(([name, line, end, signature]) => ({ name, line, end, signature })),
    imports,
    references: Uint32Array.from(numbers(references)),
    words: Uint32Array.from(pairs, ([word]) => word),
    counts: Uint16Array.from(pairs, ([, count]) => Math.min(count, 65_535)),
    length: counts.reduce((sum, count) => sum + count, 0),
  };
  return { blob, facts };
}
