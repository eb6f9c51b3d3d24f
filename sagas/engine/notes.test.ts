import { expect, onTestFinished, test, vi } from 'vitest';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { Command } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { newestNote, reportNotes, type Note } from './notes.ts';

const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(1_000 * count);
function fakeTime(): void {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
}

test('while one note is on its way others wait, and the newest of them goes next', async () => {
  fakeTime();
  const sent: string[] = [];
  let arrive: () => void = () => undefined;
  const send = ({ text }: Note): Promise<void> => {
    sent.push(text);
    return new Promise((resolve) => (arrive = resolve));
  };
  const take = newestNote(send, new AbortController().signal);
  for (let count = 0; count < 10_000; count += 1) take({ text: `${count}`, percent: null });
  await seconds(60);
  expect(sent).toEqual(['0']);
  arrive();
  await seconds(2);
  expect(sent).toEqual(['0', '9999']);
});

test('a note is cut to 500 characters, and one that is refused keeps neither the work nor the next note', async () => {
  fakeTime();
  const [taskId, runId] = [newId(), newId()];
  const commands: Command[] = [];
  const told: unknown[] = [];
  const send = (command: Command) => {
    commands.push(command);
    return commands.length === 1
      ? Promise.reject(new CommandRefused('claim-mismatch', 'no longer'))
      : Promise.resolve({ id: taskId, stream: `task-${taskId}`, revision: 1, token: '', details: {} });
  };
  const context = { actor: 'saga:x', correlationId: 'c' };
  const onNote = (...note: unknown[]): void => void told.push(note);
  const ends = new AbortController();
  const take = reportNotes({ commands: { send }, onNote }, { taskId, runId, repository: 'r' }, context, ends.signal);
  take?.({ text: 'one', percent: 1 });
  await seconds(1);
  take?.({ text: `${'x'.repeat(499)}😀`, percent: null });
  await seconds(1);
  expect(commands.map(({ type, target, data }) => [type, target, data])).toEqual([
    ['task.report-progress', taskId, { claimId: runId, note: 'one', percent: 1 }],
    ['task.report-progress', taskId, { claimId: runId, note: 'x'.repeat(499), percent: null }],
  ]);
  expect(told).toEqual([[taskId, { text: 'x'.repeat(499), percent: null }]]);
  ends.abort();
  take?.({ text: 'late', percent: null });
  await seconds(5);
  expect(commands).toHaveLength(2);
});

test('a call that is about no run has nobody who listens', () => {
  const send = () => Promise.reject(new Error('never'));
  const context = { actor: 'saga:x', correlationId: 'c' };
  expect(reportNotes({ commands: { send } }, { taskId: 'x' }, context, new AbortController().signal)).toBeUndefined();
});
