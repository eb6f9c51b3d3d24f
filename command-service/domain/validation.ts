import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { validationCommands } from '@workledger/shared/contexts/evolution/validation/commands.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { validationFold, type ValidationState } from '@workledger/shared/contexts/evolution/validation/state.ts';
import type { ValidationEvent } from '@workledger/shared/contexts/evolution/validation/events.ts';

export type ValidationDecisions = DataOf<typeof validationCommands>;

/** One judgement of one commit by the repository's own tests. Once judged, it stays judged. */
export const validation: Aggregate<ValidationState, ValidationEvent, ValidationDecisions> = {
  ...validationFold,
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

function open({ status }: ValidationState, what: string): void {
  if (status === 'missing') refuse('not-found', 'there is no such validation');
  if (status !== 'requested')
    refuse('illegal-transition', `a validation that is ${status} cannot ${what}`, { status, allowed: ['requested'] });
}
