import type { Step } from '../contexts/task/workflow/definition.ts';

type Linked = Pick<Step, 'id' | 'after'>;

/** The steps that one waits for. */
const waitsFor = ({ after = [] }: Linked): readonly string[] =>
  after.map((each) => (typeof each === 'string' ? each : each.step));

/** The steps of a cycle, the first one again at its end; null: there is none. */
export function findCycle(steps: readonly Linked[]): readonly string[] | null {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const done = new Set<string>();
  for (const { id: start } of steps) {
    // Depth first, without recursion: a chain may be as long as there are steps.
    const path: { readonly id: string; readonly left: string[] }[] = [];
    const onPath = new Set<string>();
    const enter = (id: string): void => {
      const found = byId.get(id);
      path.push({ id, left: found === undefined ? [] : [...waitsFor(found)] });
      onPath.add(id);
    };
    if (!done.has(start)) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.left.pop();
      if (next === undefined) {
        path.pop();
        onPath.delete(top.id);
        done.add(top.id);
      } else if (onPath.has(next)) {
        const ids = path.map(({ id }) => id);
        return [...ids.slice(ids.indexOf(next)), next].toReversed();
      } else if (!done.has(next)) enter(next);
    }
  }
  return null;
}

/** Each step's number in the order of the list, by id. */
export type Before = { isBefore(earlier: string, step: string): boolean };

/** Which steps come before which, of a graph without cycles. */
export function orderOf(steps: readonly Linked[]): Before {
  const links = new Map(steps.map((step) => [step.id, waitsFor(step)]));
  const before = new Map<string, ReadonlySet<string>>();
  // Sets are made when they are asked for: most steps name no result of another one.
  function allBefore(id: string): ReadonlySet<string> {
    const known = before.get(id);
    if (known !== undefined) return known;
    const found = new Set<string>();
    const open = [...(links.get(id) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(...(links.get(next) ?? []));
    }
    before.set(id, found);
    return found;
  }
  return { isBefore: (earlier, step) => allBefore(step).has(earlier) };
}

/** These steps, and all that come after one of them. */
export function withAllAfter(steps: readonly Linked[], chosen: Iterable<string>): ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const step of steps) for (const id of waitsFor(step)) next.set(id, [...(next.get(id) ?? []), step.id]);
  const found = new Set<string>();
  const open = [...chosen];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(next.get(id) ?? []));
  }
  return found;
}

/** The steps that no choice leads past: every run that comes to its end has begun them. */
export function surelyBegun(steps: readonly Pick<Step, 'id' | 'after' | 'join'>[]): ReadonlySet<string> {
  const sure = new Set<string>();
  for (let before = -1; before < sure.size;) {
    before = sure.size;
    for (const { id, after = [], join = 'all' } of steps) {
      const isSure = (link: (typeof after)[number]): boolean => typeof link === 'string' && sure.has(link);
      if (after.length === 0 || (join === 'all' ? after.every(isSure) : after.some(isSure))) sure.add(id);
    }
  }
  return sure;
}
