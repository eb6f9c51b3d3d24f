import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/commands/catalogue.ts';
import type { evolutionCommands } from '@workledger/shared/commands/evolution.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { ValidationEvent } from '@workledger/shared/events/validation.ts';

type Commands = DataOf<typeof evolutionCommands>;
export type ValidationDecisions = Pick<Commands, Extract<keyof Commands, `validation.${string}`>>;

export type ValidationState = {
  readonly status: 'missing' | 'requested' | 'passed' | 'failed' | 'cancelled';
  readonly run: { readonly taskId: string; readonly runId: string };
  readonly sendBackAllowed: boolean;
};

/** One judgement of one commit by the repository's own tests. Once judged, it stays judged. */
export const validation: Aggregate<ValidationState, ValidationEvent, ValidationDecisions> = {
  type: 'validation',
  initial: { status: 'missing', run: { taskId: '', runId: '' }, sendBackAllowed: false },
  evolve,
  decisions: {
    'validation.request': (data, state) => {
      if (state.status !== 'missing') refuse('already-exists', 'this validation was requested before');
      return [{ type: 'ValidationRequested', data }];
    },
    'validation.pass': (data, state) => {
      open(state, 'pass');
      return [{ type: 'ValidationPassed', data: { ...state.run, ...data } }];
    },
    'validation.fail': (data, state) => {
      open(state, 'fail');
      const verdict = state.sendBackAllowed ? 'back-to-work' : 'failed';
      return [{ type: 'ValidationFailed', data: { ...state.run, ...data, verdict } }];
    },
    'validation.cancel': ({ reason }, state) => {
      if (state.status === 'cancelled') return [];
      open(state, 'be cancelled');
      return [{ type: 'ValidationCancelled', data: { ...state.run, reason } }];
    },
  },
};

function evolve(state: ValidationState, event: ValidationEvent): ValidationState {
  switch (event.type) {
    case 'ValidationRequested': {
      const { taskId, runId, sendBackAllowed } = event.data;
      return { status: 'requested', run: { taskId, runId }, sendBackAllowed };
    }
    case 'ValidationPassed':
      return { ...state, status: 'passed' };
    case 'ValidationFailed':
      return { ...state, status: 'failed' };
    case 'ValidationCancelled':
      return { ...state, status: 'cancelled' };
  }
}

function open({ status }: ValidationState, what: string): void {
  if (status === 'missing') refuse('not-found', 'there is no such validation');
  if (status !== 'requested')
    refuse('illegal-transition', `a validation that is ${status} cannot ${what}`, { status, allowed: ['requested'] });
}
