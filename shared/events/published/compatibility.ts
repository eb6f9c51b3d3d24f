type Json = Readonly<Record<string, unknown>>;

/** Words for people, not for readers: they may change. */
const WORDS = new Set(['title', 'description', 'examples']);

/**
 * Why a schema may not take the place of one that others rely on, a line each; none where it only grew by optional fields or by values
 * of an enumeration. What was removed, renamed, retyped, or became required or optional needs a new version of its event.
 * @param before JSON Schema as published @param after JSON Schema of today
 */
export function incompatibilities(before: Json, after: Json, path = 'data'): string[] {
  const found: string[] = [];
  const among = enumAmong(after);
  if (before['enum'] !== undefined && among !== undefined) return incompatibilities(before, among, path);
  for (const keyword of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (WORDS.has(keyword)) continue;
    const [old, now] = [before[keyword], after[keyword]];
    if (keyword === 'properties') found.push(...ofProperties(before, after, path));
    else if (keyword === 'required') continue;
    else if (keyword === 'enum' && Array.isArray(old) && Array.isArray(now))
      found.push(
        ...old.filter((value) => !now.includes(value)).map((value) => `${path} can no longer be ${String(value)}`),
      );
    else if (isOptions(keyword) && Array.isArray(old) && Array.isArray(now) && old.length === now.length)
      found.push(...old.flatMap((option, index) => incompatibilities(option as Json, now[index] as Json, path)));
    else if (isJson(old) && isJson(now))
      found.push(...incompatibilities(old, now, keyword === 'items' ? `${path}[]` : path));
    else if (JSON.stringify(old) !== JSON.stringify(now))
      found.push(`${path} was retyped: ${keyword} was ${JSON.stringify(old)}, is ${JSON.stringify(now)}`);
  }
  return found;
}

function ofProperties(before: Json, after: Json, path: string): string[] {
  const [old, now] = [fields(before), fields(after)];
  const [needed, needs] = [required(before), required(after)];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((name) => {
    const here = `${path}.${name}`;
    if (now[name] === undefined) return [`${here} was removed or renamed`];
    if (old[name] === undefined) return needs.has(name) ? [`${here} is new and required: make it optional`] : [];
    if (needed.has(name) !== needs.has(name)) return [`${here} became ${needs.has(name) ? 'required' : 'optional'}`];
    return incompatibilities(old[name], now[name], here);
  });
}

/** An enumeration that became one of several kinds of text: values more, whose list is not closed. */
function enumAmong({ anyOf }: Json): Json | undefined {
  const kinds = Array.isArray(anyOf) ? (anyOf as readonly Json[]) : [];
  return kinds.every(({ type }) => type === 'string')
    ? kinds.find(({ enum: values }) => values !== undefined)
    : undefined;
}

const fields = (schema: Json): Readonly<Record<string, Json>> =>
  (schema['properties'] ?? {}) as Readonly<Record<string, Json>>;
const required = (schema: Json): ReadonlySet<unknown> => new Set((schema['required'] ?? []) as readonly unknown[]);
const isOptions = (keyword: string): boolean => keyword === 'anyOf' || keyword === 'oneOf' || keyword === 'allOf';
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
