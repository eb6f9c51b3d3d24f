import { given } from '@workledger/shared/aggregate/testing.ts';
import type { DependenciesEvent } from '@workledger/shared/contexts/task/dependencies/events.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dependencies } from './dependencies.ts';
import { dependenciesFold, pathBetween, waitsFor } from '@workledger/shared/contexts/task/dependencies/state.ts';

const id = (number: number) => `0190a000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const [a, b, c, d] = [id(1), id(2), id(3), id(4)];
const added = (taskId: string, dependsOn: string): DependenciesEvent => ({
  type: 'DependencyAdded',
  data: { taskId, dependsOn },
});
const removed = (taskId: string, dependsOn: string): DependenciesEvent => ({
  type: 'DependencyRemoved',
  data: { taskId, dependsOn },
});

describe('adding dependencies', () => {
  it('tells each new one once', () => {
    given(dependencies, added(a, b))
      .when('dependencies.add', { taskId: a, dependsOn: [b, c, c, d] })
      .then(added(a, c), added(a, d));
  });
  it('that are known is nothing', () => {
    given(dependencies, added(a, b))
      .when('dependencies.add', { taskId: a, dependsOn: [b] })
      .then();
  });
  it('refuses a task that waits for itself', () => {
    given(dependencies)
      .when('dependencies.add', { taskId: a, dependsOn: [a] })
      .thenRefused('dependency-cycle', { cycle: [a, a] });
  });
  it('refuses a cycle and names it', () => {
    given(dependencies, added(a, b), added(b, c), added(b, d))
      .when('dependencies.add', { taskId: c, dependsOn: [d, a] })
      .thenRefused('dependency-cycle', { cycle: [c, a, b, c] });
  });
  it('allows what closed a cycle, once an edge of it is gone', () => {
    given(dependencies, added(a, b), added(b, c), removed(b, c))
      .when('dependencies.add', { taskId: c, dependsOn: [a] })
      .then(added(c, a));
  });
  it('allows a diamond', () => {
    given(dependencies, added(a, b), added(a, c), added(b, d))
      .when('dependencies.add', { taskId: c, dependsOn: [d] })
      .then(added(c, d));
  });
});

const parts = (taskId: string, ...subtasks: string[]): DependenciesEvent => ({
  type: 'SubtasksAdded',
  data: { taskId, subtasks },
});
const settled = (taskId: string): DependenciesEvent => ({ type: 'DependenciesSettled', data: { taskId } });

describe('expanding', () => {
  const edges = [{ taskId: c, dependsOn: [a] }];
  it('tells the parts before what they wait for', () => {
    given(dependencies)
      .when('dependencies.expand', { taskId: b, subtasks: [c, d], edges })
      .then(parts(b, c, d), added(c, a));
  });
  it('is refused where a part would wait for what waits for the whole', () => {
    given(dependencies, added(a, b))
      .when('dependencies.expand', { taskId: b, subtasks: [c], edges })
      .thenRefused('dependency-cycle', { cycle: [c, a, b, c] });
  });
  it('makes a dependency on the whole refused', () => {
    given(dependencies, parts(b, c), added(c, a))
      .when('dependencies.add', { taskId: a, dependsOn: [b] })
      .thenRefused('dependency-cycle', { cycle: [a, b, c, a] });
  });
  it('that is given up is forgotten, with what never came to be', () => {
    given(dependencies, parts(b, c, d), added(c, a), added(d, a))
      .when('dependencies.give-up', { taskId: b, subtasks: [c, d], missing: [d] })
      .then({ type: 'SubtasksRemoved', data: { taskId: b, subtasks: [c, d] } }, removed(d, a));
  });
});

describe('tasks that are complete', () => {
  it('lose their own edges, once', () => {
    given(dependencies, added(a, b), parts(a, c), added(b, c))
      .when('dependencies.settle', { finished: [a, a, d] })
      .then(settled(a));
    given(dependencies, added(a, b), settled(a))
      .when('dependencies.settle', { finished: [a] })
      .then();
  });
  it('lead to no cycle: their edges are dropped with what is added', () => {
    given(dependencies, added(b, c), added(c, a))
      .when('dependencies.add', { taskId: a, dependsOn: [b], finished: [b] })
      .then(settled(b), added(a, b));
  });
});

describe('removing dependencies', () => {
  it('tells those that were there', () => {
    given(dependencies, added(a, b))
      .when('dependencies.remove', { taskId: a, dependsOn: [b, c, b] })
      .then(removed(a, b));
  });
});

it('edges hold what a plain set of pairs holds, and a path is there exactly when the set has one', () => {
  const pair = fc.tuple(fc.nat(12), fc.nat(12), fc.boolean());
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 40 }), (changes) => {
      let edges = dependenciesFold.initial;
      const plain = new Set<string>();
      for (const [from, to, add] of changes) {
        const known = plain.has(`${from}-${to}`);
        if (add && !known) {
          edges = dependenciesFold.evolve(edges, {
            type: 'DependencyAdded',
            data: { taskId: id(from), dependsOn: id(to) },
          });
          plain.add(`${from}-${to}`);
        } else if (!add && known) {
          edges = dependenciesFold.evolve(edges, {
            type: 'DependencyRemoved',
            data: { taskId: id(from), dependsOn: id(to) },
          });
          plain.delete(`${from}-${to}`);
        }
      }
      for (let from = 0; from <= 12; from++) {
        const reachable = reach(plain, from);
        for (let to = 0; to <= 12; to++) {
          expect(waitsFor(edges, id(from)).includes(id(to))).toBe(plain.has(`${from}-${to}`));
          expect(pathBetween(edges, [id(from)], id(to)) !== null).toBe(reachable.has(to));
        }
      }
    }),
    { numRuns: 50 },
  );
});

function reach(plain: ReadonlySet<string>, from: number, seen = new Set<number>()): ReadonlySet<number> {
  seen.add(from);
  for (let to = 0; to <= 12; to++) if (plain.has(`${from}-${to}`) && !seen.has(to)) reach(plain, to, seen);
  return seen;
}
