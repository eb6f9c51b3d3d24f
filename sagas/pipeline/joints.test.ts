import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineComponent, inRun } from '../components/run-component.ts';
import { createEffector, type Place } from './effector.ts';

const place: Place = { prefix: 'step', round: 1, attempt: 1, timeoutSeconds: 1, now: new Date(0) };
const id = '0198c0de-0000-7000-8000-00000000000a';
const run = { taskId: id, runId: id, repository: 'sample' };

/** What must not compile stands here: `npm run check` fails when one of these lines has become right. */
it('a name gives the type of what goes with it: of a command its data, of a component its request and result', () => {
  const { on, collected } = createEffector(new Map(), place);
  on.command('a', 'task.cancel', id, { reason: 'enough' });
  // @ts-expect-error a field that the command does not have
  on.command('b', 'task.cancel', id, { reasons: 'enough' });
  // @ts-expect-error a command that sagas do not send
  on.command('c', 'key.revoke', id, { reason: 'enough' });
  // @ts-expect-error no command at all
  on.tryCommand('d', 'task.forget', id, {});
  on.call('e', 'code.diff', { ...run, commit: 'c', base: 'b' });
  // @ts-expect-error a request that lacks a field
  on.call('f', 'code.diff', { ...run, commit: 'c' });
  // @ts-expect-error a component that is not there
  on.tryCall('g', 'code.guess', run);
  const measured = on.call('h', 'code.evaluate', { ...run, commit: 'c' });
  // @ts-expect-error a result that this component does not give
  expect(measured?.diffStat).toBeUndefined();
  expect(collected.requested.map(({ key }) => key)).toEqual([...'abcdefgh'].map((name) => `step/${name}`));
});

it('a component is held to what its schemas say that it takes and answers', () => {
  const limits = { turns: { atOnce: () => 1 }, seconds: () => 1 };
  const schemas = { request: inRun.extend({ count: z.number() }), result: z.object({ sum: z.number() }), limits };
  const perform = ({ count }: { count: number }) => Promise.resolve({ sum: count + 1 });
  expect(defineComponent({ ...schemas, perform })).toMatchObject({ perform });
  // @ts-expect-error a field that its request does not have
  defineComponent({ ...schemas, perform: async ({ number }) => ({ sum: Number(number) }) });
  // @ts-expect-error a result of another type
  defineComponent({ ...schemas, perform: async ({ count }) => ({ sum: String(count) }) });
  // @ts-expect-error a result that lacks a field
  defineComponent({ ...schemas, perform: async () => ({}) });
});
