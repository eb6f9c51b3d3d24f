import { given } from '@workledger/shared/aggregate/testing.ts';
import type { MergeQueueEvent } from '@workledger/shared/contexts/evolution/merge-queue/events.ts';
import { mergeQueueFold } from '@workledger/shared/contexts/evolution/merge-queue/state.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeQueue, type MergeQueueDecisions } from './merge-queue.ts';

const id = (number: number): string => `0190a000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const run = (number: number) => ({ taskId: id(100 + number), runId: id(number) });
const [a, b, c] = [run(1), run(2), run(3)];
const branch = { repository: 'sample', baseBranch: 'main' };
const queued = (data: typeof a): MergeQueueEvent => ({ type: 'MergeQueued', data: { ...data, ...branch } });
const began = (data: typeof a): MergeQueueEvent => ({ type: 'MergeTurnBegan', data });
type Outcome = 'merged' | 'sent-back' | 'left' | 'released';
const ended = (data: typeof a, outcome: Outcome, reason: string | null = null): MergeQueueEvent => ({
  type: 'MergeTurnEnded',
  data: { ...data, outcome, reason },
});
const enter = (data: typeof a) => ({ ...data, ...branch });
const leave = (data: typeof a, outcome: 'merged' | 'sent-back' | 'left') => ({ ...data, outcome, reason: null });

describe('a merge queue', () => {
  it('gives the first its turn at once, and lets the next one wait', () => {
    given(mergeQueue).when('merge-queue.enter', enter(a)).then(queued(a), began(a));
    given(mergeQueue, queued(a), began(a)).when('merge-queue.enter', enter(b)).then(queued(b));
  });
  it('knows who is in it, waiting or having its turn', () => {
    given(mergeQueue, queued(a), began(a)).when('merge-queue.enter', enter(a)).then();
    given(mergeQueue, queued(a), began(a), queued(b)).when('merge-queue.enter', enter(b)).then();
  });
  it('passes the turn on in the append that ends it, in order', () =>
    given(mergeQueue, queued(a), began(a), queued(b), queued(c))
      .when('merge-queue.leave', leave(a, 'merged'))
      .then(ended(a, 'merged'), began(b)));
  it('lets one leave that only waits', () =>
    given(mergeQueue, queued(a), began(a), queued(b), queued(c))
      .when('merge-queue.leave', leave(b, 'left'))
      .then(ended(b, 'left')));
  it('lets one come again that was sent back', () =>
    given(mergeQueue, queued(a), began(a), ended(a, 'sent-back'))
      .when('merge-queue.enter', enter(a))
      .then(queued(a), began(a)));
  it('does not let in who left for good before its wish to enter arrived', () => {
    given(mergeQueue).when('merge-queue.leave', leave(a, 'left')).then(ended(a, 'left'));
    given(mergeQueue, ended(a, 'left')).when('merge-queue.enter', enter(a)).then();
    given(mergeQueue, ended(a, 'left')).when('merge-queue.leave', leave(a, 'left')).then();
  });
  it('nor who was merged after its place was taken', () => {
    given(mergeQueue).when('merge-queue.leave', leave(a, 'merged')).then(ended(a, 'merged'));
    given(mergeQueue, ended(a, 'merged')).when('merge-queue.enter', enter(a)).then();
  });
  it('has nothing to do for one that is sent back and has no place any more', () => {
    given(mergeQueue).when('merge-queue.leave', leave(a, 'sent-back')).then();
  });
  it('is released by a person, with a reason', () => {
    given(mergeQueue, queued(a), began(a), queued(b))
      .when('merge-queue.release', { runId: a.runId, reason: 'parked' })
      .then(ended(a, 'released', 'parked'), began(b));
    given(mergeQueue).when('merge-queue.release', { runId: a.runId, reason: 'parked' }).thenRefused('not-found');
  });
});

const commandOf = fc.tuple(
  fc.constantFrom('enter', 'merged', 'sent-back', 'left', 'release'),
  fc.integer({ min: 1, max: 6 }),
);

it('whatever comes: one turn at most, whoever waits follows in order, and nobody waits while no one has a turn', () => {
  fc.assert(
    fc.property(fc.array(commandOf, { maxLength: 60 }), (commands) => {
      let state = mergeQueueFold.initial;
      /** The model: a list whose first has the turn, and those that may not come any more. */
      let line: number[] = [];
      const gone = new Set<number>();
      for (const [what, number] of commands) {
        const isIn = line.includes(number);
        for (const event of decide(state, what, number)) state = mergeQueueFold.evolve(state, event);
        if (what === 'enter' && !isIn && !gone.has(number)) line.push(number);
        if ((what === 'left' || what === 'merged') && !isIn) gone.add(number);
        if (what !== 'enter') line = line.filter((each) => each !== number);
        const inState = [state.turn, ...state.waiting].flatMap((place) => (place === null ? [] : [place.runId]));
        expect(inState).toEqual(line.map(id));
        expect(state.turn === null).toBe(line.length === 0);
      }
    }),
    { numRuns: 200 },
  );
});

it('does not grow with its history', () => {
  let state = mergeQueueFold.initial;
  for (let number = 1; number <= 1_000; number++)
    for (const what of ['enter', 'merged', 'left'])
      for (const event of decide(state, what, number)) state = mergeQueueFold.evolve(state, event);
  expect({ waiting: state.waiting.length, turn: state.turn, gone: state.gone.length }).toEqual({
    waiting: 0,
    turn: null,
    gone: 200,
  });
});

function decide(state: typeof mergeQueueFold.initial, what: string, number: number): readonly MergeQueueEvent[] {
  const context = { id: id(0), actor: 'system' };
  const { decisions } = mergeQueue;
  if (what === 'enter') return decisions['merge-queue.enter'](enter(run(number)), state, context);
  if (what !== 'release') {
    const outcome = what as MergeQueueDecisions['merge-queue.leave']['outcome'];
    return decisions['merge-queue.leave'](leave(run(number), outcome), state, context);
  }
  const hasPlace = [state.turn, ...state.waiting].some((place) => place?.runId === id(number));
  return hasPlace ? decisions['merge-queue.release']({ runId: id(number), reason: 'parked' }, state, context) : [];
}
