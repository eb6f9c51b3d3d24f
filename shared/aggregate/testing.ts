import { expect } from 'vitest';
import { CommandRefused, type RefusalCode } from '../commands/refusal.ts';
import type { DomainEvent } from '../contexts/define-events.ts';
import type { Aggregate, DecisionContext } from './aggregate.ts';

type Outcome<State, Event> = {
  /** Exactly these events, in this order; none at all: nothing was to be done. */
  then(...events: readonly Event[]): void;
  /** A refusal, and some of its facts. */
  thenRefused(code: RefusalCode, facts?: Readonly<Record<string, unknown>>): void;
  /** State after the events that were given and those that were decided. */
  thenState(check: (state: State) => void): void;
};

/** `given(task, created).when('task.cancel', { reason }).then(cancelled)`: how aggregates are tested. */
export const given = <State, Event extends DomainEvent, Data extends Record<string, unknown>>(
  aggregate: Aggregate<State, Event, Data>,
  ...events: readonly Event[]
) => ({
  when<Type extends keyof Data & string>(
    type: Type,
    data: Data[Type],
    context: Partial<DecisionContext> = {},
  ): Outcome<State, Event> {
    const state = events.reduce(aggregate.evolve, aggregate.initial);
    const decide = () =>
      aggregate.decisions[type](data, state, {
        id: '00000000-0000-4000-8000-000000000000',
        actor: 'system',
        ...context,
      });
    return {
      then: (...expected) => expect(decide()).toEqual(expected),
      thenRefused: (code, facts = {}) => {
        const refusal = refusalOf(decide);
        expect(refusal?.code, `${type} should have been refused`).toBe(code);
        expect(refusal?.facts).toMatchObject(facts);
      },
      thenState: (check) => check(decide().reduce(aggregate.evolve, state)),
    };
  },
});

function refusalOf(decide: () => unknown): CommandRefused | undefined {
  try {
    decide();
    return undefined;
  } catch (error) {
    if (error instanceof CommandRefused) return error;
    throw error;
  }
}
