// JSON.stringify writes U+0000 and halves of surrogate pairs as escapes; an escaped backslash before "u" looks alike.
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/;
const UNSTORABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/**
 * Looks for text that not every engine can store: U+0000 or half a surrogate pair, in values or names of fields.
 * @param json as JSON.stringify wrote it
 * @returns its path, like `.title` or `.files[2]` (the empty path is the value itself); null when there is none
 */
export function findUnstorableText(json: string): string | null {
  if (!SUSPICIOUS.test(json)) return null;
  const value: unknown = JSON.parse(json);
  return search(value, '');
}

function search(value: unknown, path: string): string | null {
  if (typeof value === 'string') return UNSTORABLE.test(value) ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const innerPath = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    if (UNSTORABLE.test(key)) return `${path}.${JSON.stringify(key)}`;
    const found = search(inner, innerPath);
    if (found !== null) return found;
  }
  return null;
}
