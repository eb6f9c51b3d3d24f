import { createHash } from 'node:crypto';
import type { Command } from '../commands/port.ts';
import { canonical, type Json } from '../contexts/sync/document/json.ts';

/**
 * JSON with the keys of every object in code-unit order and nothing that JSON cannot say: equal values give equal texts.
 * @throws TypeError on a value that JSON has no form for (a bigint, a cycle)
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(ordered(value)) ?? 'null';

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Date) return value.toJSON();
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]));
}

/** SHA-256 (hex) of a document's canonical form (RFC 8785) as UTF-8. */
export const digestOf = (document: Json): string => createHash('sha256').update(canonical(document)).digest('hex');

/** SHA-256 (hex) of what a command says: tells a repeat from another request under the same key. */
export const commandHash = ({ type, target, data }: Command): string =>
  createHash('sha256').update(canonicalJson({ type, target, data })).digest('hex');
