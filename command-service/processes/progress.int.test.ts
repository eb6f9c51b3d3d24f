import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { ask, claim, create, eventsOf, expectRefused, register, startWriteSide, type WriteSide } from './testing.ts';

let side: WriteSide;
let taskId: string;
let claimId: string;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

async function begin(): Promise<void> {
  taskId = await create(side);
  claimId = await claim(side, taskId, await register(side));
}
const report = (note: string, percent: number | null, context: { commandId?: string } = {}) =>
  ask(side, 'task.report-progress', taskId, { claimId, note, percent }, context);
const told = async () =>
  (await eventsOf(side.log, `task-${taskId}`)).filter(({ type }) => type === 'TaskProgressReported');
const latest = async () =>
  (await side.database.pool.query('select note, percent from command_service.progress where claim_id = $1', [claimId]))
    .rows;

it('ten thousand reports are few events, and the newest of them stands', async () => {
  await begin();
  const reports = 10_000;
  for (let first = 0; first < reports; first += 500)
    // A percentage that goes up and down again crosses each tenth once.
    await Promise.all(
      Array.from({ length: 500 }, (_, index) => report(`step ${first + index}`, (first + index * 7) % 100)),
    );
  await report('the last one', 12.5);
  expect((await told()).length).toBeLessThanOrEqual(11);
  expect(await latest()).toEqual([{ note: 'the last one', percent: 12.5 }]);
}, 60_000);

it('the first, a new tenth and one a minute are events, others are not', async () => {
  await begin();
  const counts: number[] = [];
  for (const [note, percent] of [
    ['begun', null],
    ['reading', null],
    ['9 %', 9.9],
    ['10 %', 10],
    ['back', 3],
    ['again', 11],
  ] as const) {
    await report(note, percent);
    counts.push((await told()).length);
  }
  expect(counts).toEqual([1, 1, 1, 2, 2, 2]);
  await side.database.pool.query(
    "update command_service.progress set told_at = told_at - interval '61 seconds' where claim_id = $1",
    [claimId],
  );
  await report('a minute later', 11);
  await report('at once', 11);
  expect((await told()).map(({ data }) => (data as { note: string }).note)).toEqual([
    'begun',
    '10 %',
    'a minute later',
  ]);
  expect(await latest()).toEqual([{ note: 'at once', percent: 11 }]);
});

it('a copy of a report answers the same, puts no old note over a newer one, also after a restart', async () => {
  await begin();
  const [first, second] = [newId(), newId()];
  const answers = [await report('one', 1, { commandId: first }), await report('two', 2, { commandId: second })];
  await report('three', 3);
  const restarted = { ...side, commands: await side.another() };
  for (const sender of [side, restarted])
    for (const [index, commandId] of [first, second].entries()) {
      const data = { claimId, note: ['one', 'two'][index], percent: index + 1 };
      expect(await ask(sender, 'task.report-progress', taskId, data, { commandId })).toEqual(answers[index]);
      await expectRefused(
        ask(sender, 'task.report-progress', taskId, { ...data, note: 'other' }, { commandId }),
        'idempotency-key-reused',
      );
    }
  expect(await latest()).toEqual([{ note: 'three', percent: 3 }]);
  expect(await told()).toHaveLength(1);
});

it('a claim leaves one row, and the next one of its task takes it away', async () => {
  await begin();
  await report('mine', 1);
  await ask(side, 'task.release', taskId, { claimId, reason: 'tired' });
  const lost = claimId;
  await expectRefused(report('late', 2), 'claim-mismatch');
  claimId = await claim(side, taskId, await register(side));
  await report('theirs', 1);
  const { rows } = await side.database.pool.query('select claim_id from command_service.progress where task_id = $1', [
    taskId,
  ]);
  expect(rows).toEqual([{ claim_id: claimId }]);
  expect(lost).not.toBe(claimId);
});
