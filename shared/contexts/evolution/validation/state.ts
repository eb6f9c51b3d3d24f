import type { Fold } from '../../define-events.ts';
import type { ValidationEvent } from './events.ts';

export type ValidationState = {
  readonly status: 'missing' | 'requested' | 'passed' | 'failed' | 'cancelled';
  readonly run: { readonly taskId: string; readonly runId: string };
  readonly sendBackAllowed: boolean;
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

export const validationFold: Fold<ValidationState, ValidationEvent> = {
  type: 'validation',
  initial: { status: 'missing', run: { taskId: '', runId: '' }, sendBackAllowed: false },
  evolve,
};
