import { expect, test } from 'vitest';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { createPrinter } from './printer.ts';

test('a title or an output cannot steer the terminal, nor pretend to be another line', () => {
  let written = '';
  const out = { write: (text: string) => (written += text), isTTY: false };
  const title = 'red \u001b[31m \u009b2J\u0007\r\n   1.0 s  task      complete, merged';
  createPrinter(
    out,
    () => 'agent',
  )({
    type: 'TaskCreated',
    stream: 'task-0190a2c0-0000-7000-8000-000000000001',
    recordedAt: new Date(0),
    data: { title, priority: 3 },
  } as unknown as RecordedEvent);
  const id = '0190a2c0-0000-7000-8000-000000000001';
  expect(written.split('\n').map((line) => line.slice(8))).toEqual([
    `     0.0 s  00000001  task      "red \\u001b[31m \\u009b2J\\u0007 1.0 s  task      complete, merged" is ${id}`,
    '     0.0 s  00000001  task      created, priority 3',
    '',
  ]);
});

test('notes of an agent are printed as they come, once in a while a task, and their events not again', () => {
  let written = '';
  const print = createPrinter({ write: (text: string) => (written += text), isTTY: false }, () => 'agent');
  const [one, other] = ['0190a2c0-0000-7000-8000-000000000001', '0190a2c0-0000-7000-8000-000000000002'];
  print.note(one, { text: 'reads', percent: null });
  print.note(one, { text: 'writes', percent: 40.4 });
  print({
    ...{ type: 'TaskProgressReported', stream: `task-${one}`, recordedAt: new Date() },
    data: { claimId: other, note: 'reads', percent: null },
  } as unknown as RecordedEvent);
  print.note(other, { text: 'tests', percent: 99.6 });
  expect(written.split('\n').map((line) => line.slice(20))).toEqual([
    `00000001  task      ${one}`,
    '00000001  progress  reads',
    `00000002  task      ${other}`,
    '00000002  progress  100 %: tests',
    '',
  ]);
});
