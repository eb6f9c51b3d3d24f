/** Embeddings of many entries in memory. Ids are UUIDs as texts. */
export type NearestIndex = {
  /** Adds embeddings, or replaces those of ids that are there. @param vectors one after the other */
  add(ids: readonly string[], vectors: Int8Array, scales: Float32Array): void;
  /**
   * The nearest ones by the cosine of their vectors, the nearest first.
   * @param among only these; null: all
   */
  nearest(
    query: { readonly vector: Int8Array; readonly scale: number },
    count: number,
    among: readonly string[] | null,
  ): { readonly ids: string[]; readonly similarities: number[] };
  size(): number;
  /** Bytes of all that is held. */
  bytes(): number;
};

/**
 * Compares in two passes: signs first, a bit a dimension, then the bytes of the candidates that differ in the fewest signs. In blocks, so
 * that growing copies nothing. Stands on nothing outside itself: a worker runs its source.
 */
export function createNearestIndex(dimensions: number): NearestIndex {
  const BLOCK = 4_096;
  /** Candidates of the first pass: so many for each that is asked for, so many at least. */
  const CANDIDATES = 10;
  const FEWEST_CANDIDATES = 4_000;
  const words = Math.ceil(dimensions / 32);
  type Block = { vectors: Int8Array; signs: Int32Array; scales: Float32Array; ids: Uint32Array };
  const blocks: Block[] = [];
  let size = 0;
  /** Open addressing: place + 1, 0 is free. */
  let table = new Int32Array(1_024);

  const wordsOf = (id: string): Uint32Array => {
    const hex = id.replaceAll('-', '');
    return Uint32Array.from([0, 8, 16, 24], (at) => Number.parseInt(hex.slice(at, at + 8), 16));
  };
  const textOf = (place: number): string => {
    const { ids } = blocks[Math.floor(place / BLOCK)]!;
    let hex = '';
    for (let at = 0; at < 4; at++) hex += ids[(place % BLOCK) * 4 + at]!.toString(16).padStart(8, '0');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
  const isAt = (place: number, id: Uint32Array): boolean => {
    const { ids } = blocks[Math.floor(place / BLOCK)]!;
    const start = (place % BLOCK) * 4;
    return ids[start] === id[0] && ids[start + 1] === id[1] && ids[start + 2] === id[2] && ids[start + 3] === id[3];
  };
  const hash = (id: Uint32Array): number =>
    (Math.imul(id[3]! ^ id[2]!, 0x9e3779b1) ^ Math.imul(id[0]! ^ id[1]!, 0x85ebca6b)) >>> 0;

  /** Where in the table an id stands, or would. */
  function find(id: Uint32Array): number {
    let at = hash(id) % table.length;
    while (table[at] !== 0 && !isAt(table[at]! - 1, id)) at = (at + 1) % table.length;
    return at;
  }
  function grow(): void {
    const placed = table;
    table = new Int32Array(table.length * 2);
    for (const held of placed)
      if (held !== 0) {
        const { ids } = blocks[Math.floor((held - 1) / BLOCK)]!;
        const start = ((held - 1) % BLOCK) * 4;
        table[find(ids.subarray(start, start + 4))] = held;
      }
  }
  function placeOf(text: string): number {
    const id = wordsOf(text);
    let at = find(id);
    if (table[at] !== 0) return table[at]! - 1;
    if (size * 2 >= table.length) {
      grow();
      at = find(id);
    }
    if (size % BLOCK === 0)
      blocks.push({
        vectors: new Int8Array(BLOCK * dimensions),
        signs: new Int32Array(BLOCK * words),
        scales: new Float32Array(BLOCK),
        ids: new Uint32Array(BLOCK * 4),
      });
    blocks.at(-1)!.ids.set(id, (size % BLOCK) * 4);
    table[at] = size + 1;
    return size++;
  }
  function signsOf(vector: Int8Array, into: Int32Array, at: number): void {
    into.fill(0, at, at + words);
    for (let dimension = 0; dimension < dimensions; dimension++)
      if (vector[dimension]! < 0) into[at + (dimension >> 5)]! |= 1 << (dimension & 31);
  }

  function score(query: Int8Array, place: number): number {
    const { vectors, scales } = blocks[Math.floor(place / BLOCK)]!;
    const start = (place % BLOCK) * dimensions;
    let sum = 0;
    for (let dimension = 0; dimension < dimensions; dimension++) sum += query[dimension]! * vectors[start + dimension]!;
    return sum * scales[place % BLOCK]!;
  }

  /** How many signs differ, of each place; the places that differ least, at least so many. */
  function candidates(query: Int8Array, wanted: number): ArrayLike<number> {
    const asked = new Int32Array(words);
    signsOf(query, asked, 0);
    const distances = new Uint16Array(size);
    const counts = new Uint32Array(dimensions + 1);
    let place = 0;
    for (const { signs } of blocks)
      for (let at = 0; at < signs.length && place < size; at += words, place++) {
        let distance = 0;
        for (let word = 0; word < words; word++) {
          let bits = asked[word]! ^ signs[at + word]!;
          bits -= (bits >>> 1) & 0x55555555;
          bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
          distance += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
        }
        distances[place] = distance;
        counts[distance]!++;
      }
    let farthest = 0;
    for (let sum = counts[0]!; sum < wanted && farthest < dimensions;) sum += counts[++farthest]!;
    let many = 0;
    const found = new Uint32Array(counts.subarray(0, farthest + 1).reduce((sum, count) => sum + count, 0));
    for (let each = 0; each < size; each++) if (distances[each]! <= farthest) found[many++] = each;
    return found;
  }

  const known = (ids: readonly string[]): number[] =>
    ids.flatMap((id) => {
      const held = table[find(wordsOf(id))]!;
      return held === 0 ? [] : [held - 1];
    });

  return {
    add: (ids, vectors, scales) => {
      for (const [index, id] of ids.entries()) {
        const place = placeOf(id);
        const block = blocks[Math.floor(place / BLOCK)]!;
        const vector = vectors.subarray(index * dimensions, (index + 1) * dimensions);
        block.vectors.set(vector, (place % BLOCK) * dimensions);
        block.scales[place % BLOCK] = scales[index]!;
        signsOf(vector, block.signs, (place % BLOCK) * words);
      }
    },
    nearest: ({ vector, scale }, count, among) => {
      const wanted = Math.max(FEWEST_CANDIDATES, count * CANDIDATES);
      const places = among === null ? candidates(vector, wanted) : known(among);
      const scores = new Float64Array(places.length);
      for (let at = 0; at < places.length; at++) scores[at] = score(vector, places[at]!);
      const least = scores.slice().sort()[Math.max(0, scores.length - count)] ?? 0;
      const best: { place: number; sum: number }[] = [];
      for (let at = 0; at < places.length; at++)
        if (scores[at]! >= least) best.push({ place: places[at]!, sum: scores[at]! });
      best.sort((one, other) => other.sum - one.sum).splice(count);
      return {
        ids: best.map(({ place }) => textOf(place)),
        similarities: best.map(({ sum }) => sum * scale),
      };
    },
    size: () => size,
    bytes: () =>
      table.byteLength +
      blocks.reduce(
        (sum, { vectors, signs, scales, ids }) =>
          sum + vectors.byteLength + signs.byteLength + scales.byteLength + ids.byteLength,
        0,
      ),
  };
}
