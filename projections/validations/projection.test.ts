import { expect, it } from 'vitest';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { ValidationEvent } from '@workledger/shared/contexts/evolution/validation/events.ts';
import type { ValidationRow } from '@workledger/shared/contexts/evolution/validation/row.ts';
import { foldAll } from '../engine/fold-all.ts';
import { history, timeOf, commitOf, failed, newRun, paper } from '@workledger/infra/testing/events/history.ts';
import { validations } from './projection.ts';

const id = newId();
const run = newRun();
const requested: ValidationEvent = {
  type: 'ValidationRequested',
  data: { ...run, repository: 'sample', commit: commitOf('b'), base: commitOf('a'), sendBackAllowed: true },
};
const after = (...events: ValidationEvent[]): ValidationRow =>
  foldAll<ValidationRow>(validations, history(streamName('validation', id), [requested, ...events])).get(id)!;

it('passes with a report', () => {
  expect(after()).toMatchObject({ state: 'requested', commit: commitOf('b'), endedAt: null });
  const passed: ValidationEvent = {
    type: 'ValidationPassed',
    data: { ...run, report: paper('1'), protectedChanges: ['test/a.js'] },
  };
  expect(after(passed)).toMatchObject({
    state: 'passed',
    report: paper('1'),
    protectedChanges: ['test/a.js'],
    endedAt: timeOf(1),
  });
});

it('fails with a verdict, and the log is its report', () => {
  const fail = (verdict: 'back-to-work' | 'failed'): ValidationEvent => ({
    type: 'ValidationFailed',
    data: { ...run, failure: failed('tests fail'), protectedChanges: [], verdict },
  });
  expect(after(fail('back-to-work'))).toMatchObject({
    state: 'back-to-work',
    failure: failed('tests fail'),
    report: paper('f'),
  });
  expect(after(fail('failed'))).toMatchObject({ state: 'failed' });
});

it('is cancelled with a reason', () => {
  const cancelled: ValidationEvent = { type: 'ValidationCancelled', data: { ...run, reason: 'closed' } };
  expect(after(cancelled)).toMatchObject({ state: 'cancelled', reason: 'closed' });
});
