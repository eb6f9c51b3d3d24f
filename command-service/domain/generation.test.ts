import { given } from '@workledger/shared/aggregate/testing.ts';
import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import { describe, expect, it } from 'vitest';
import { generation, type GenerationDecisions } from './generation.ts';

const run = { taskId: '0190a000-0000-7000-8000-0000000000f1', runId: '0190a000-0000-7000-8000-00000000000a' };
const commit = 'a'.repeat(40);
const artefact = { digest: 'ab'.repeat(32), size: 1, mediaType: 'text/plain' };
const failure: Failure = { step: 'work', reason: 'broke', command: null, exitCode: 1, lastLines: [], log: null };
const request = { ...run, repository: 'sample', base: commit, prompt: null, strategies: ['first', 'last'] };
const success = {
  attempt: 1,
  strategy: 'first',
  commit,
  diffStat: { files: 1, insertions: 1, deletions: 0 },
  diff: artefact,
  output: artefact,
  costUsd: null,
  durationMs: 5,
};
const failing = { attempt: 1, strategy: 'first', failure, costUsd: 0.5 };

const requested: GenerationEvent = { type: 'GenerationRequested', data: request };
const started: GenerationEvent = {
  type: 'GenerationAttemptStarted',
  data: { ...run, attempt: 1, strategy: 'first' },
};
const startedLast: GenerationEvent = {
  type: 'GenerationAttemptStarted',
  data: { ...run, attempt: 2, strategy: 'last' },
};
const attemptFailed: GenerationEvent = { type: 'GenerationAttemptFailed', data: { ...run, ...failing } };
const succeeded: GenerationEvent = { type: 'GenerationSucceeded', data: { ...run, ...success } };
const failed: GenerationEvent = { type: 'GenerationFailed', data: { ...run, failure } };
const cancelled: GenerationEvent = { type: 'GenerationCancelled', data: { ...run, reason: 'no need' } };
const lastFailed: GenerationEvent = {
  type: 'GenerationAttemptFailed',
  data: { ...run, ...failing, attempt: 2, strategy: 'last' },
};

const states = {
  missing: [],
  requested: [requested],
  attempting: [requested, started],
  'between attempts': [requested, started, attemptFailed],
  succeeded: [requested, started, succeeded],
  failed: [requested, started, attemptFailed, startedLast, lastFailed, failed],
  cancelled: [requested, cancelled],
} satisfies Record<string, readonly GenerationEvent[]>;
type Name = keyof typeof states;

const table: Record<
  keyof GenerationDecisions,
  { readonly data: unknown; readonly decided: Partial<Record<Name, readonly GenerationEvent[]>> }
> = {
  'generation.request': { data: request, decided: { missing: [requested] } },
  'generation.start-attempt': {
    data: { attempt: 1, strategy: 'first' },
    decided: { requested: [started], attempting: [] },
  },
  'generation.fail-attempt': { data: failing, decided: { attempting: [attemptFailed] } },
  'generation.succeed': { data: success, decided: { attempting: [succeeded] } },
  'generation.cancel': {
    data: { reason: 'no need' },
    decided: { requested: [cancelled], attempting: [cancelled], 'between attempts': [cancelled], cancelled: [] },
  },
};

describe.each(Object.entries(table))('%s', (type, { data, decided }) => {
  it.each(Object.keys(states) as Name[])('from %s', (name) => {
    const outcome = given(generation, ...states[name]).when(type as keyof GenerationDecisions, data as never);
    const events = decided[name];
    if (events !== undefined) outcome.then(...events);
    else if (type === 'generation.request') outcome.thenRefused('already-exists');
    else outcome.thenRefused(name === 'missing' ? 'not-found' : 'illegal-transition');
  });
});

describe('attempts', () => {
  it('go on with the next strategy after one failed', () => {
    given(generation, requested, started, attemptFailed)
      .when('generation.start-attempt', { attempt: 2, strategy: 'last' })
      .then(startedLast);
  });
  it('end the generation when the last strategy failed', () => {
    given(generation, requested, started, attemptFailed, startedLast)
      .when('generation.fail-attempt', { ...failing, attempt: 2, strategy: 'last' })
      .then(lastFailed, failed);
  });
  it('cannot be skipped', () => {
    given(generation, requested)
      .when('generation.start-attempt', { attempt: 2, strategy: 'first' })
      .thenRefused('illegal-transition');
  });
  it('take no strategy that was not asked for', () => {
    given(generation, requested)
      .when('generation.start-attempt', { attempt: 1, strategy: 'other' })
      .thenRefused('unknown-reference');
  });
  it('that were superseded have nothing to say', () => {
    given(generation, requested, started, attemptFailed, startedLast)
      .when('generation.succeed', success)
      .thenRefused('illegal-transition', { attempt: 2, strategy: 'last' });
  });
  it('may go to the same strategy again, as often as it is named', () => {
    const twice: GenerationEvent = {
      type: 'GenerationRequested',
      data: { ...request, strategies: ['first', 'first'] },
    };
    given(generation, twice, started).when('generation.fail-attempt', failing).then(attemptFailed);
    given(generation, twice, started, attemptFailed)
      .when('generation.start-attempt', { attempt: 2, strategy: 'first' })
      .thenState(({ status, attempt }) => expect({ status, attempt }).toEqual({ status: 'attempting', attempt: 2 }));
  });
});
