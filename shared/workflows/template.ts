import type { Template } from '../contexts/task/workflow/definition.ts';
import { ExpressionFailed, readExpression, type Scope } from './expression.ts';

/** A place in a template that stands for something else. */
export type Placeholder = {
  /** Where it stands, as a JSON pointer into the template. */
  readonly at: string;
} & ({ readonly from: string } | { readonly cel: string } | { readonly fault: string });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `$from`, `$cel`, or what is no placeholder though it looks like one; null: it stands for itself. */
function readPlaceholder(value: unknown): { from: string } | { cel: string } | { fault: string } | null {
  if (!isObject(value)) return null;
  const names = Object.keys(value);
  if (!names.some((name) => name.startsWith('$'))) return null;
  const { $from: from, $cel: cel } = value;
  if (names.length === 1 && typeof from === 'string') return { from };
  if (names.length === 1 && typeof cel === 'string') return { cel };
  return { fault: 'what begins with $ is {"$from": "<JSON pointer>"} or {"$cel": "<expression>"}, and nothing beside' };
}

/** Every placeholder of a template. */
export function placeholdersOf(value: Template | undefined, at = ''): readonly Placeholder[] {
  const found = readPlaceholder(value);
  if (found !== null) return [{ at, ...found }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    placeholdersOf(item, `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
}

/** What stands at a JSON pointer. @throws ExpressionFailed where nothing does */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const part of partsOf(pointer)) {
    const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, part);
    if (!isThere) throw new ExpressionFailed(`there is nothing at ${pointer}`);
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}

/** The names that a JSON pointer goes through. @throws ExpressionFailed where it is none */
export function partsOf(pointer: string): readonly string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer))
    throw new ExpressionFailed(`${pointer}: a JSON pointer begins with /, and ~ is written ~0`);
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What a template says, as things stand. @throws ExpressionFailed */
export function fill(value: Template | undefined, scope: Scope): unknown {
  const found = readPlaceholder(value);
  if (found !== null) {
    if ('fault' in found) throw new ExpressionFailed(found.fault);
    return 'from' in found ? valueAt(scope, found.from) : readExpression(found.cel).evaluate(scope);
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, scope));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, scope)]));
}

/** Whether an expression holds. @throws ExpressionFailed, also where it answers neither true nor false */
export function holds(expression: string, scope: Scope): boolean {
  const answer = readExpression(expression).evaluate(scope);
  if (typeof answer !== 'boolean') throw new ExpressionFailed(`${expression} answers neither true nor false`);
  return answer;
}
