import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { Reach, WebhookEvent } from './events.ts';

export type WebhookStatus = 'active' | 'paused' | 'disabled' | 'deleted';

/** A subscription as its stream tells it; null: there is none. */
export type WebhookState = {
  readonly status: WebhookStatus;
  readonly name: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  /** Null: all, and none. */
  readonly repositories: readonly string[] | null;
  readonly reach: Reach;
  readonly secretId: string;
  /** The secret before, and until when it is good; null: there is none. */
  readonly old: { readonly secretId: string; readonly until: string } | null;
} | null;

type Details = Pick<NonNullable<WebhookState>, 'name' | 'url' | 'eventTypes' | 'repositories'>;

export const webhookFold: Fold<WebhookState, WebhookEvent> = {
  type: 'webhook',
  initial: null,
  snapshot: plainSnapshot(1),
  evolve: (state, event) => {
    if (event.type === 'WebhookCreated') {
      const { madeBy: _, from: __, ...data } = event.data;
      return { ...data, status: 'active', old: null };
    }
    if (state === null) return state;
    switch (event.type) {
      case 'WebhookChanged':
        return { ...state, ...(event.data as Partial<Details>) };
      case 'WebhookPaused':
        return { ...state, status: 'paused' };
      case 'WebhookResumed':
        return { ...state, status: 'active' };
      case 'WebhookDisabled':
        return { ...state, status: 'disabled' };
      case 'WebhookSecretRotated': {
        const { secretId, oldUntil } = event.data;
        return { ...state, secretId, old: { secretId: state.secretId, until: oldUntil } };
      }
      case 'WebhookDeleted':
        return { ...state, status: 'deleted' };
      case 'WebhookTestAsked':
      case 'WebhookRedeliveryAsked':
      case 'WebhookDeliveryDropped':
        return state;
    }
  },
};
