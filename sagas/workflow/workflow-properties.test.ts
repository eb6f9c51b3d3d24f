import { newId } from '@workledger/shared/contexts/stream.ts';
import type { Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scenario } from '../engine/testing/scenario.ts';
import { withAllAfter } from '@workledger/shared/workflows/graph.ts';
import { undoOf } from './testing.ts';
import { workflow } from './workflow.ts';

const links = fc.record({ before: fc.array(fc.nat(), { maxLength: 3 }), stays: fc.boolean() });
const graphs = fc.array(links, { minLength: 1, maxLength: 25 }).map((all) =>
  all.map(({ before, stays }, index): Step => ({
    ...{ kind: 'command', id: `s${index}`, command: 'task.create', data: { title: 'x' } },
    after: index === 0 ? [] : [...new Set(before.map((number) => `s${number % index}`))],
    ...(!stays && { compensation: undoOf(`s${index}`) }),
  })),
);

const effectOf = (key: string): { kind: string; id: string } => {
  const [kind = '', id = ''] = key.split('/');
  return { kind, id };
};

function begin(steps: readonly Step[], atOnce: number) {
  const run = scenario(workflow);
  const runId = newId();
  const definition = { name: 'w', steps, atOnce };
  const own = { workflowId: newId(), version: 1, repository: null, startedBy: 'user:x', rights: {}, parent: null };
  run.receives('workflow-run', runId, 'WorkflowRunStarted', { ...own, definition, inputs: {} });
  return { ...run, receive: (type: string, data: object = {}) => run.receives('workflow-run', runId, type, { by: 'x', reason: 'so', ...data }) }; // prettier-ignore
}

it('whatever the graph and the order of results: every step is done once, after those that it waits for, never more at once than may be', () => {
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 6 }), fc.infiniteStream(fc.nat()), (steps, atOnce, picks) => {
      const run = begin(steps, atOnce);
      const done = new Set<string>();
      for (let open = run.open(); open.length > 0; open = run.open()) {
        const doing = open.filter((key) => key.startsWith('step/'));
        expect(doing.length).toBeLessThanOrEqual(atOnce);
        const key = open[(picks.next().value as number) % open.length]!;
        const { kind, id } = effectOf(key);
        if (kind === 'step') {
          const { after = [] } = steps.find((step) => step.id === id)!;
          expect(after.every((earlier) => done.has(earlier as string))).toBe(true);
          expect(done.has(id)).toBe(false);
          done.add(id);
        }
        run.succeeds(key, { id: newId() });
      }
      expect([done.size, run.ended()]).toEqual([steps.length, 'completed']);
    }),
    { numRuns: 60 },
  );
});

it('whatever fails, is cancelled, paused and taken up again from any step: what can be undone is undone once, the last first, what is asked for and all after it is done again, nothing else twice, and it ends', () => {
  const moves = fc.infiniteStream(fc.record({ pick: fc.nat(), fate: fc.integer({ min: 0, max: 19 }) }));
  fc.assert(
    fc.property(graphs, moves, (steps, fates) => {
      const run = begin(steps, 4);
      const standing: string[] = [];
      const stays = new Set(steps.flatMap(({ id, compensation }) => (compensation === undefined ? [id] : [])));
      // Done before the run turned back, and not to be done again.
      let done = new Set<string>();
      let [paused, ending, retries] = [false, false, 0];
      for (let turn = 0; turn < 400; turn++) {
        const { pick, fate } = fates.next().value as { pick: number; fate: number };
        const open = run.open();
        if (fate === 0 && !paused && !ending) [paused] = [true, run.receive('WorkflowRunPaused')];
        else if (paused && (fate < 8 || open.length === 0)) [paused] = [false, run.receive('WorkflowRunResumed')];
        else if (fate === 1 && !ending) [ending] = [true, run.receive('WorkflowRunCancelAsked')];
        const key = open[pick % Math.max(1, open.length)];
        if (key === undefined) {
          if (run.open().length > 0) continue;
          break;
        }
        if (run.open().includes(key) === false) continue;
        const { kind, id } = effectOf(key);
        if (kind === 'undo' && !key.endsWith('/retry')) expect(standing.pop()).toBe(id);
        if (kind === 'step' && fate === 2) {
          ending = true;
          run.fails(key);
          continue;
        }
        if (kind === 'step') {
          expect(done.has(id)).toBe(false);
          if (!ending) done.add(id);
          if (!stays.has(id)) standing.push(id);
        }
        if (kind === 'undo' && !key.endsWith('/retry')) done.delete(id);
        run.succeeds(key, { id: newId() });
        if (kind === 'end' && run.ended() === null && retries++ < 2) {
          [ending, paused] = [false, false];
          expect(standing).toEqual([]);
          const from = steps.filter((_, index) => (pick >> index) % 4 === 1).map((step) => step.id);
          const lost = steps.flatMap((step) => (done.has(step.id) ? [] : [step.id]));
          const again = withAllAfter(steps, [...from, ...lost]);
          done = new Set([...done].filter((each) => !again.has(each)));
          run.receive('WorkflowRunRetried', { from });
        }
      }
      expect(run.open()).toEqual([]);
      const isComplete = run.ended() === 'completed';
      expect(standing).toHaveLength(isComplete ? steps.length - stays.size : 0);
      if (isComplete) expect(done.size).toBe(steps.length);
    }),
    { numRuns: 60 },
  );
});
