import { given } from '@workledger/shared/aggregate/testing.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import type { ValidationEvent } from '@workledger/shared/contexts/evolution/validation/events.ts';
import { describe, it } from 'vitest';
import { validation, type ValidationDecisions } from './validation.ts';

const run = { taskId: '0190a000-0000-7000-8000-0000000000f1', runId: '0190a000-0000-7000-8000-00000000000a' };
const commit = 'a'.repeat(40);
const failure: Failure = { step: 'test', reason: 'red', command: ['test'], exitCode: 1, lastLines: ['no'], log: null };
const request = { ...run, repository: 'sample', commit, base: commit, sendBackAllowed: true };
const pass = { report: { digest: 'ab'.repeat(32), size: 1, mediaType: 'text/plain' }, protectedChanges: ['test/a.js'] };
const fail = { failure, protectedChanges: [] };

const requested: ValidationEvent = { type: 'ValidationRequested', data: request };
const passed: ValidationEvent = { type: 'ValidationPassed', data: { ...run, ...pass } };
const failed: ValidationEvent = { type: 'ValidationFailed', data: { ...run, ...fail, verdict: 'back-to-work' } };
const cancelled: ValidationEvent = { type: 'ValidationCancelled', data: { ...run, reason: 'no need' } };

const states = {
  missing: [],
  requested: [requested],
  passed: [requested, passed],
  failed: [requested, failed],
  cancelled: [requested, cancelled],
} satisfies Record<string, readonly ValidationEvent[]>;
type Name = keyof typeof states;

const table: Record<
  keyof ValidationDecisions,
  { readonly data: unknown; readonly decided: Partial<Record<Name, readonly ValidationEvent[]>> }
> = {
  'validation.request': { data: request, decided: { missing: [requested] } },
  'validation.pass': { data: pass, decided: { requested: [passed] } },
  'validation.fail': { data: fail, decided: { requested: [failed] } },
  'validation.cancel': { data: { reason: 'no need' }, decided: { requested: [cancelled], cancelled: [] } },
};

describe.each(Object.entries(table))('%s', (type, { data, decided }) => {
  it.each(Object.keys(states) as Name[])('from %s', (name) => {
    const outcome = given(validation, ...states[name]).when(type as keyof ValidationDecisions, data as never);
    const events = decided[name];
    if (events !== undefined) outcome.then(...events);
    else if (type === 'validation.request') outcome.thenRefused('already-exists');
    else outcome.thenRefused(name === 'missing' ? 'not-found' : 'illegal-transition');
  });
});

it('work that may not be sent back has failed', () => {
  given(validation, { type: 'ValidationRequested', data: { ...request, sendBackAllowed: false } })
    .when('validation.fail', fail)
    .then({ type: 'ValidationFailed', data: { ...run, ...fail, verdict: 'failed' } });
});
