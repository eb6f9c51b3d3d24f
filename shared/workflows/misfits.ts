import type { z } from 'zod';
import type { Template } from '../contexts/task/workflow/definition.ts';
import { placeholdersOf } from './template.ts';

/** Why a definition cannot run: where, as a JSON pointer into it, and what is wrong there. */
export type Fault = { readonly at: string; readonly reason: string };

const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/**
 * Where what stands literally in a template does not fit a schema. What a placeholder will stand for is not known yet: nothing is said
 * of it, nor of what holds it where only the whole can be judged.
 */
export function misfits(schema: z.ZodType, value: Template): readonly Fault[] {
  const parsed = schema.safeParse(value);
  if (parsed.success) return [];
  const open = placeholdersOf(value).map(({ at }) => at);
  return parsed.error.issues.flatMap((issue) => {
    const at = pointerOf(issue.path);
    if (open.some((place) => at === place || at.startsWith(`${place}/`))) return [];
    const isOfWhole = issue.code === 'invalid_union' || issue.code === 'custom';
    if (isOfWhole && open.some((place) => place.startsWith(`${at}/`))) return [];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ at: pointerOf([...issue.path, key]), reason: 'unknown field' }));
    return [{ at, reason: issue.message }];
  });
}
