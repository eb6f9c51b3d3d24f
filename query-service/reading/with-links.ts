import { artefact } from '@workledger/shared/contexts/values.ts';

/** The same JSON, with a link beside every artefact that it names. */
export function withLinks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLinks);
  if (typeof value !== 'object' || value === null) return value;
  const parsed = artefact.safeParse(value);
  if (parsed.success) return { ...parsed.data, href: `/api/v1/artefacts/${parsed.data.digest}` };
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withLinks(inner)]));
}
