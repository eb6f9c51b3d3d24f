import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { webhookCommands } from '@workledger/shared/contexts/sync/webhook/commands.ts';
import type { Reach, WebhookEvent } from '@workledger/shared/contexts/sync/webhook/events.ts';
import { isWithinReach, typesOf } from '@workledger/shared/events/subscribing.ts';
import { webhookFold, type WebhookState } from '@workledger/shared/contexts/sync/webhook/state.ts';

type Commands = DataOf<typeof webhookCommands>;
/** How far whoever asks may read. */
type Asking = { readonly reach: Reach };

export type WebhookDecisions = Omit<Commands, 'webhook.create' | 'webhook.change' | 'webhook.rotate-secret'> & {
  'webhook.create': Commands['webhook.create'] & Asking;
  'webhook.change': Commands['webhook.change'] & Asking;
  'webhook.rotate-secret': Pick<Commands['webhook.rotate-secret'], 'secretId'> & Asking & { readonly oldUntil: string };
};

/** A subscription to events: where they are sent, which, and whether now. */
export const webhook: Aggregate<WebhookState, WebhookEvent, WebhookDecisions> = {
  ...webhookFold,
  decisions: {
    'webhook.create': (data, state, { actor }) => {
      if (state !== null) refuse('already-exists', 'this webhook exists already');
      checkTypes(data.eventTypes, data.reach);
      const { from, ...always } = data;
      return [{ type: 'WebhookCreated', data: { ...always, madeBy: actor, ...(from !== undefined && { from }) } }];
    },
    'webhook.change': ({ reach, ...data }, state) => {
      const before = existing(state);
      demandReach(before, reach);
      if (data.eventTypes !== undefined) checkTypes(data.eventTypes, before.reach);
      const changed = Object.entries(data).filter(
        ([name, value]) =>
          value !== undefined && JSON.stringify(value) !== JSON.stringify(before[name as keyof typeof data]),
      );
      return changed.length === 0 ? [] : [{ type: 'WebhookChanged', data: Object.fromEntries(changed) }];
    },
    'webhook.pause': (data, state) => (existing(state).status === 'active' ? [{ type: 'WebhookPaused', data }] : []),
    'webhook.give-up': (data, state) => (state?.status === 'active' ? [{ type: 'WebhookPaused', data }] : []),
    'webhook.disable': (data, state) => (state?.status === 'active' ? [{ type: 'WebhookDisabled', data }] : []),
    'webhook.resume': ({ from }, state) =>
      existing(state).status === 'active' ? [] : [{ type: 'WebhookResumed', data: from === undefined ? {} : { from } }],
    'webhook.rotate-secret': ({ reach, ...data }, state) => {
      demandReach(existing(state), reach);
      return [{ type: 'WebhookSecretRotated', data }];
    },
    'webhook.test': (_, state, { actor }) => {
      demandActive(state);
      return [{ type: 'WebhookTestAsked', data: { askedBy: actor } }];
    },
    'webhook.redeliver': ({ deliveryId }, state) => {
      demandActive(state);
      return [{ type: 'WebhookRedeliveryAsked', data: deliveryId === undefined ? {} : { deliveryId } }];
    },
    'webhook.drop-delivery': (data, state) => {
      existing(state);
      return [{ type: 'WebhookDeliveryDropped', data }];
    },
    'webhook.delete': (_, state) => {
      if (state === null) return refuse('not-found', 'there is no such webhook');
      return state.status === 'deleted' ? [] : [{ type: 'WebhookDeleted', data: {} }];
    },
  },
};

function existing(state: WebhookState): NonNullable<WebhookState> {
  return state === null || state.status === 'deleted' ? refuse('not-found', 'there is no such webhook') : state;
}

/** Nothing is sent while it is not. */
function demandActive(state: WebhookState): void {
  const { status } = existing(state);
  if (status !== 'active') refuse('illegal-transition', `the webhook is ${status}: resume it first`, { status });
}

/** Who may read less than its maker neither sends that elsewhere nor signs for it. */
function demandReach({ reach }: NonNullable<WebhookState>, own: Reach): void {
  if (reach === 'all' && own !== 'all')
    refuse('forbidden', 'an administrator made this webhook, and it tells more than an operator may read');
}

function checkTypes(eventTypes: readonly string[], reach: Reach): void {
  for (const [index, pattern] of eventTypes.entries()) {
    const types = typesOf(pattern);
    const message =
      types.length === 0
        ? `${pattern}: there is no such event`
        : types.some((type) => isWithinReach(reach, type))
          ? null
          : `${pattern}: an administrator may read these events, and nobody else`;
    if (message !== null) refuse('out-of-range', message, { errors: [{ path: `eventTypes.${index}`, message }] });
  }
}
