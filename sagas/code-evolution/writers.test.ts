import { describe, expect, it } from 'vitest';
import {
  B,
  C,
  backAtWork,
  claimed,
  generated,
  plan,
  publish,
  reference,
  validated,
  work,
  type Run,
} from './testing.ts';

const agentOf = (run: Run): string => run.state().facts.claim?.agentId ?? '';
const ranked = (name: string) => ({ name, kind: 'agent', reason: 'as the test says' });

/** A run where others may write, too; these are chosen, `agent` standing for its own. */
function chosen(order: readonly string[], more: object = {}): Run {
  const run = claimed('command', 'sample', more);
  run.succeeds('prepare/1/1/prepare', { ...plan, writers: true });
  choose(run, 1, order);
  return run;
}
function choose(run: Run, round: number, order: readonly string[]): void {
  const names = order.map((name) => (name === 'agent' ? agentOf(run) : name));
  run.succeeds(`generate/${round}/1/choose`, { level: 'low', because: 'short', order: names.map(ranked), left: [] });
}
const begin = (run: Run, place = '1/1'): void => {
  if (place.endsWith('/1')) run.succeeds(`generate/${place}/request`);
  run.succeeds(`generate/${place}/start`);
};
const data = (run: Run, key: string): unknown => (run.requested(key) as { data?: unknown } | undefined)?.data;
const answered = (run: Run, key: string): void => {
  for (let step = 0; step < 30 && run.requested(key) === undefined; step++)
    run.succeeds(run.open()[0] ?? 'nothing is open');
};
const afterRest = (run: Run, place: string): void => void run.succeeds(`generate/${place}/retry`);
const begun = {
  ...{ run: 1_000, url: null, prompt: reference, begunAt: '2026-01-01T00:00:00.000Z' },
  ...{ timeoutSeconds: 60, priceUsd: 0.75 },
};
const over = { status: 'COMPLETE', branch: 'codegen/x', pullRequest: null, output: reference };

describe('where others than the agent may write', () => {
  it('asks who is to, and has a model write by one answer', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', { ...plan, writers: true });
    expect(run.open()).toEqual(['generate/1/1/choose']);
    choose(run, 1, ['chat:fast', 'agent']);
    expect(data(run, 'generate/1/1/request')).toMatchObject({ strategies: ['chat:fast', agentOf(run)] });
    begin(run);
    expect(run.requested('generate/1/1/work')).toMatchObject({
      component: 'generation.chat',
      request: { model: 'fast', label: 'write-1-1' },
    });
    run.succeeds('generate/1/1/work', work(B));
    expect(data(run, 'generate/1/1/note')).toMatchObject({
      strategy: 'chat:fast',
      attempt: 1,
      commit: B,
      costUsd: 0.5,
    });
    run.succeeds('generate/1/1/note');
    expect(run.open()).toEqual(['publish/1/1/publish']);
  });

  it('asks the next one where one fails, tells both, and counts what both cost', () => {
    const run = chosen(['chat:fast', 'agent']);
    begin(run);
    run.fails('generate/1/1/work', false, 'its answer cannot be taken', 0, { costUsd: 0.02, fault: 'work' });
    expect(data(run, 'generate/1/1/note')).toMatchObject({ strategy: 'chat:fast', costUsd: 0.02 });
    run.succeeds('generate/1/1/note');
    afterRest(run, '1/1');
    begin(run, '1/2');
    expect(run.requested('generate/1/2/work')).toMatchObject({
      component: 'code.work',
      request: { label: 'generate-1-2' },
    });
    run.succeeds('generate/1/2/work', work(C));
    expect(data(run, 'generate/1/2/note')).toMatchObject({ strategy: agentOf(run), attempt: 2, commit: C });
    expect(run.state().facts.costUsd).toBeCloseTo(0.52);
  });

  it('has Codegen begin, waits, takes what it made, and ends it', () => {
    const run = chosen(['codegen', 'agent']);
    begin(run);
    run.succeeds('generate/1/1/begin', begun);
    expect(run.state().facts.codegen).toEqual({ label: 'write-1-1', run: 1_000 });
    run.succeeds('generate/1/1/wait', over);
    expect(run.requested('generate/1/1/work')).toMatchObject({
      component: 'code.adopt',
      request: { branch: 'codegen/x', costUsd: 0.75, prompt: reference, output: reference },
    });
    run.succeeds('generate/1/1/work', { ...work(B), costUsd: 0.75 });
    expect(run.requested('generate/1/1/stop')).toMatchObject({ request: { label: 'write-1-1', run: 1_000 } });
    run.succeeds('generate/1/1/stop', { outcome: 'stopped', closed: 1 });
    expect(data(run, 'generate/1/1/note')).toMatchObject({ strategy: 'codegen', commit: B, costUsd: 0.75 });
    expect(run.state().facts).toMatchObject({ costUsd: 0.75, codegen: null });
  });

  it('falls back from Codegen, too, which is ended first, whether or not it told that it began', () => {
    const run = chosen(['codegen', 'agent']);
    begin(run);
    run.fails('generate/1/1/begin', false, 'Codegen begins no more runs', 0, { fault: 'work' });
    expect(run.requested('generate/1/1/stop')).toMatchObject({ request: { label: 'write-1-1', run: null } });
    run.fails('generate/1/1/stop', false, 'away', 0, { fault: 'work' });
    run.succeeds('generate/1/1/note');
    afterRest(run, '1/1');
    begin(run, '1/2');
    expect(run.requested('generate/1/2/work')).toMatchObject({ component: 'code.work' });
  });

  it('pays Codegen once where the origin was away when its work was to be taken', () => {
    const run = chosen(['codegen', 'agent']);
    begin(run);
    run.succeeds('generate/1/1/begin', begun);
    run.succeeds('generate/1/1/wait', over);
    run.fails('generate/1/1/work', true, 'the origin is away', 0, { fault: 'origin' });
    expect(run.requested('generate/1/1/note')).toBeUndefined();
    afterRest(run, '1/1');
    begin(run, '1/2');
    expect(run.requested('generate/1/2/begin')).toMatchObject({ request: { label: 'write-1-1' } });
  });

  it('ends what Codegen does when the task is cancelled', () => {
    const run = chosen(['codegen', 'agent']);
    begin(run);
    run.succeeds('generate/1/1/begin', begun);
    run.receives('task', run.taskId, 'TaskCancelled', { claimId: run.claimId, reason: 'no more' });
    run.fails('generate/1/1/wait', false, 'cancelled');
    expect(run.requested('undo/generate/1/stop')).toMatchObject({ component: 'codegen.stop', request: { run: 1_000 } });
    run.succeeds('undo/generate/1/stop', { outcome: 'stopped', closed: 0 });
    expect(run.open()).toContain('undo/generate/1/cancel');
  });

  it('lets an agent at its limit rest, and goes on with who is next', () => {
    const run = chosen(['agent', 'chat:fast']);
    begin(run);
    run.fails('generate/1/1/work', true, 'usage limit reached', 0, { fault: 'limit' });
    run.succeeds('generate/1/1/rest');
    run.succeeds('generate/1/1/note');
    afterRest(run, '1/1');
    begin(run, '1/2');
    expect(run.requested('generate/1/2/work')).toMatchObject({ component: 'generation.chat' });
  });

  it('chooses anew when its tests fail, told whose work that was', () => {
    const run = chosen(['chat:fast', 'agent']);
    generated(run);
    publish(run);
    validated(run, 1, 'back-to-work');
    run.succeeds('validate/1/1/send-back');
    expect(run.requested('generate/2/1/choose')).toMatchObject({ request: { refused: ['chat:fast'] } });
    choose(run, 2, ['agent', 'chat:fast']);
    begin(run, '2/1');
    expect(run.requested('generate/2/1/work')).toMatchObject({ component: 'code.work' });
  });

  it('has the agent write alone where nobody can be chosen', () => {
    const run = claimed();
    run.succeeds('prepare/1/1/prepare', { ...plan, writers: true });
    run.fails('generate/1/1/choose', false, 'the database is away');
    expect(data(run, 'generate/1/1/request')).toMatchObject({ strategies: [agentOf(run), agentOf(run)] });
  });

  it('keeps what became of the attempts when the work failed for good', () => {
    const run = chosen(['chat:fast', 'agent']);
    generated(run);
    publish(run);
    validated(run, 1, 'failed');
    answered(run, 'end/1/learn');
    expect(run.requested('end/1/learn')).toMatchObject({
      component: 'generation.learn',
      request: { level: 'low', outcomes: [{ round: 1, attempt: 1, strategy: 'chat:fast', succeeded: false }] },
    });
  });
});

it('a run that began before there was a choice goes on as it would have', () => {
  const run = backAtWork();
  expect(run.state().facts).toMatchObject({ strategies: null, tries: [] });
  expect(data(run, 'generate/2/1/request')).toMatchObject({ strategies: [agentOf(run), agentOf(run)] });
  run.succeeds('generate/2/1/start');
  expect(run.requested('generate/2/1/work')).toMatchObject({ request: { label: 'generate-2-1' } });
});
