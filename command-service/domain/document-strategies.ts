import type { DocumentConflict, DocumentRules, Strategy } from '@workledger/shared/contexts/sync/document/events.ts';
import { canonical, isObject, isSame, memberOf, type Json } from '@workledger/shared/contexts/sync/document/json.ts';
import { overlaps } from '@workledger/shared/contexts/sync/document/patch.ts';
import type { DocumentState } from '@workledger/shared/contexts/sync/document/state.ts';
import { diff3Merge } from 'node-diff3';
import { rebase, type Contest, type Value } from './document-merge.ts';

/** The strategy of a field: that of the longest path that leads to it. */
function strategyAt({ strategy, fields }: DocumentRules, path: string): Strategy {
  const leading = fields.filter((field) => path === field.path || path.startsWith(`${field.path}/`));
  return leading.toSorted((one, other) => other.path.length - one.path.length)[0]?.strategy ?? strategy;
}

type OfProposal = { readonly id: string; readonly base: number; readonly source: string | null };

/** Which value a contested field is to have, and what is told of it. */
export function settle(
  state: DocumentState,
  contest: Contest,
  { id, base, source }: OfProposal,
): { readonly value: Value; readonly conflict: DocumentConflict | null } {
  const { rules, past, createdBy } = state;
  const { path, current, proposed } = contest;
  const strategy = strategyAt(rules, path);
  const merged = MERGING.has(strategy) ? mergeValues(contest, strategy) : undefined;
  // Both say the same; only numbers that add up come to something else by it.
  if (isSame(current, proposed) && isSame(current, merged ?? current)) return { value: current, conflict: null };
  const last = past.findLast(
    ({ version, undo }) => version > base && undo.some((change) => overlaps(change.path, path)),
  );
  const written = {
    currentBy: last?.by ?? createdBy,
    currentSource: last?.source ?? null,
    currentVersion: last?.version ?? 0,
  };
  const told = (outcome: DocumentConflict['outcome'], value: Value) => ({
    value,
    conflict: { id, path, strategy, outcome, proposed: sideOf(proposed), current: sideOf(current), ...written },
  });
  switch (strategy) {
    case 'last-writer':
      return told('proposed', proposed);
    case 'first-writer':
      return told('current', current);
    case 'source-priority':
      return priorityOf(rules, source) >= priorityOf(rules, written.currentSource)
        ? told('proposed', proposed)
        : told('current', current);
    case 'manual':
      return told('open', current);
    default:
      return merged === undefined ? told('open', current) : told('merged', merged);
  }
}

const MERGING: ReadonlySet<Strategy> = new Set(['field-merge', 'text-merge']);

const sideOf = (value: Value): DocumentConflict['current'] => (value === undefined ? null : { value });

const priorityOf = ({ sources }: DocumentRules, source: string | null): number =>
  sources.find(({ name }) => name === source)?.priority ?? 0;

/**
 * Merges both sides of a contested field, by what kind of value it is: numbers add up what either side added, lists of plain values are
 * sets, lists of objects with an `id` each are merged by it, texts (with `text-merge`) by lines, or by words where they have one line.
 * @returns undefined where they cannot be merged: the same is said twice, differently, or one side removed it
 */
function mergeValues({ base, current, proposed }: Contest, strategy: Strategy): Value {
  if (current === undefined || proposed === undefined) return undefined;
  if (typeof current === 'number' && typeof proposed === 'number' && typeof base === 'number')
    return finite(current + (proposed - base));
  if (typeof current === 'string' && typeof proposed === 'string')
    return strategy === 'text-merge' ? mergeTexts(typeof base === 'string' ? base : '', current, proposed) : undefined;
  if (!Array.isArray(current) || !Array.isArray(proposed) || (base !== undefined && !Array.isArray(base)))
    return undefined;
  return mergeLists((base ?? []) as readonly Json[], current as readonly Json[], proposed as readonly Json[], strategy);
}

const finite = (sum: number): Value => (Number.isFinite(sum) ? sum : undefined);

function mergeTexts(base: string, current: string, proposed: string): Value {
  const hasLines = [base, current, proposed].some((text) => text.includes('\n'));
  const split = (text: string): string[] => text.split(hasLines ? LINES : WORDS).filter((part) => part !== '');
  const [was, is, wanted] = [split(base), split(current), split(proposed)];
  if (Math.max(was.length, is.length, wanted.length) > MOST_PARTS) return undefined;
  const merged: string[] = [];
  for (const { ok } of diff3Merge(is, was, wanted, { excludeFalseConflicts: true })) {
    if (ok === undefined) return undefined;
    merged.push(...ok);
  }
  return merged.join('');
}
/** Where the next begins. */
const LINES = /(?<=\n)/;
const WORDS = /(?<=\s)(?=\S)|(?<=\S)(?=\s)/;
/** Its time grows with the square. */
const MOST_PARTS = 2_000;

function mergeLists(
  base: readonly Json[],
  current: readonly Json[],
  proposed: readonly Json[],
  strategy: Strategy,
): Value {
  const lists = [base, current, proposed].map((list) => byIdentity(list));
  const [was, is, wanted] = lists;
  if (was == null || is == null || wanted == null) return undefined;
  const merged: Json[] = [];
  for (const identity of new Set([...is.keys(), ...wanted.keys()])) {
    const [before, now, then] = [was.get(identity), is.get(identity), wanted.get(identity)];
    if (isSame(before, then)) push(merged, now);
    else if (isSame(before, now)) push(merged, then);
    else if (isObject(now) && isObject(then)) {
      let isContested = false;
      const settle = (contest: Contest): Value => {
        const value = mergeValues(contest, strategy);
        const isSaidTwice = isSame(contest.current, contest.proposed);
        isContested ||= value === undefined && !isSaidTwice;
        return isSaidTwice ? (value ?? contest.current) : value;
      };
      const item = rebase(isObject(before) ? before : {}, now, then, settle);
      if (isContested) return undefined;
      merged.push(item);
    } else if (isSame(now, then)) push(merged, now);
    else return undefined;
  }
  return merged;
}

const push = (list: Json[], item: Value): void => void (item === undefined || list.push(item));

/** Items of a list by what makes them what they are; null: it is no set. */
function byIdentity(list: readonly Json[]): ReadonlyMap<string, Json> | null {
  const found = new Map<string, Json>();
  for (const item of list) {
    const id = isObject(item) ? memberOf(item, 'id') : item;
    if (id === undefined || isObject(id) || Array.isArray(id)) return null;
    const identity = `${isObject(item) ? 'id' : 'value'}:${canonical(id)}`;
    if (found.has(identity)) return null;
    found.set(identity, item);
  }
  return found;
}
