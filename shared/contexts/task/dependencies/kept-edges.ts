/** Edges as one bucket has them: a task, and those it is tied to. */
type Bucket = ReadonlyMap<string, readonly string[]>;
type Buckets = readonly (Bucket | undefined)[];

const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_BYTES = 16;

/** What a bucket was read from, or has been written as: buckets never change. */
const texts = new WeakMap<Bucket, string>();

/** A text a bucket: pairs of ids in base64, or JSON where an id is not in the usual form. Only new buckets are work. */
export const writeBuckets = (buckets: Buckets): unknown =>
  Array.from(buckets, (bucket) => {
    if (bucket === undefined) return null;
    // Before its size: to ask for that would be to read it.
    const known = texts.get(bucket);
    if (known !== undefined) return known;
    if (bucket.size === 0) return null;
    const text = written(bucket);
    texts.set(bucket, text);
    return text;
  });

/** A bucket is read when it is first asked for something. @throws TypeError on what `writeBuckets` has not written */
export function readBuckets(kept: unknown): Buckets {
  if (!Array.isArray(kept)) throw new TypeError('edges are kept as a list of buckets');
  return kept.map((text: unknown) => {
    if (text === null) return undefined;
    if (typeof text !== 'string') throw new TypeError('a bucket is kept as a text');
    return lazily(text);
  });
}

function written(bucket: Bucket): string {
  const pairs = [...bucket].flatMap(([from, targets]) => targets.map((to) => [from, to] as const));
  if (!pairs.flat().every((id) => CANONICAL.test(id))) return JSON.stringify([...bucket]);
  return Buffer.from(pairs.flat().join('').replaceAll('-', ''), 'hex').toString('base64');
}

function read(text: string): Bucket {
  if (text.startsWith('[')) return new Map(JSON.parse(text) as [string, string[]][]);
  const bytes = Buffer.from(text, 'base64');
  const bucket = new Map<string, string[]>();
  for (let at = 0; at < bytes.length; at += 2 * UUID_BYTES) {
    const from = idAt(bytes, at);
    const targets = bucket.get(from);
    const to = idAt(bytes, at + UUID_BYTES);
    if (targets === undefined) bucket.set(from, [to]);
    else targets.push(to);
  }
  return bucket;
}

function idAt(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + UUID_BYTES);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function lazily(text: string): Bucket {
  const inner = (): Bucket => {
    if (typeof lazy.kept === 'string') lazy.kept = read(lazy.kept);
    return lazy.kept;
  };
  const lazy = {
    /** In plain sight, so that whoever measures a state sees what it holds. */
    kept: text,
    get: (key) => inner().get(key),
    has: (key) => inner().has(key),
    forEach: (action) => inner().forEach(action),
    entries: () => inner().entries(),
    keys: () => inner().keys(),
    values: () => inner().values(),
    [Symbol.iterator]: () => inner()[Symbol.iterator](),
  } as Bucket & { kept: string | Bucket };
  // Not in plain sight: who only measures would read it.
  Object.defineProperty(lazy, 'size', { get: () => inner().size });
  texts.set(lazy, text);
  return lazy;
}
