import type { Aggregate, DecisionContext } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import {
  MOST_HANDINGS,
  type DispatchEvent,
  type DispatchSent,
} from '@workledger/shared/contexts/agent/dispatch/events.ts';
import { dispatchFold, type Delivery, type DispatchState } from '@workledger/shared/contexts/agent/dispatch/state.ts';

/** Milliseconds since 1970, and the teams of whoever asks. */
type Asking = { readonly now: number; readonly teams: readonly string[] };

export type DispatchDecisions = {
  /** As it was judged: whom it is for is there. */
  'dispatch.send': DispatchSent;
  'dispatch.hand': Asking & { readonly deliveryId: string; readonly visibilitySeconds: number };
  'dispatch.acknowledge': { readonly deliveryId: string; readonly digest: string };
  'dispatch.reject': {
    readonly deliveryId: string;
    readonly number: number;
    readonly reason: string;
    readonly again: boolean;
  };
  /** Gives up what nobody will be handed any more. `now`: milliseconds since 1970. */
  'dispatch.settle': Pick<Asking, 'now'>;
};

type There = NonNullable<DispatchState>;

/**
 * Something that is handed over under a guarantee. That it goes out stands in the log before it does: at most once, then never again;
 * else again until it is acknowledged, and where it is to have its effect once, to nobody but whoever had it.
 */
export const dispatch: Aggregate<DispatchState, DispatchEvent, DispatchDecisions> = {
  ...dispatchFold,
  decisions: {
    'dispatch.send': (data, state) => {
      if (state !== null) refuse('already-exists', 'this was sent already');
      return [{ type: 'DispatchSent', data }];
    },
    'dispatch.hand': ({ deliveryId, visibilitySeconds, now, teams }, state, { actor }) => {
      const { guarantee, delivery } = demand(state, deliveryId, (one) => isFor(one, { actor, teams }));
      demandFree(state as There, delivery, { actor, now });
      const number = delivery.handings + 1;
      const visibleAt = guarantee === 'at-most-once' ? null : new Date(now + visibilitySeconds * 1_000).toISOString();
      const { target } = delivery;
      return [{ type: 'DispatchHandedOver', data: { deliveryId, target, to: actor, number, visibleAt } }];
    },
    'dispatch.acknowledge': ({ deliveryId, digest }, state, { actor }) => {
      const {
        from,
        guarantee,
        digest: sent,
        delivery,
      } = demand(state, deliveryId, (one) => one.takers.includes(actor));
      if (digest !== sent)
        refuse('out-of-range', 'digest: this is not the digest of what was sent: the payload did not come as it went', {
          errors: [{ path: 'body.digest', message: 'not that of what was sent' }],
        });
      const { state: is, settledBy, target } = delivery;
      if (is === 'acknowledged' && settledBy === actor) return [];
      if (is === 'acknowledged' || is === 'rejected')
        refuse('illegal-transition', `it is ${is} already`, { state: is, by: settledBy });
      if (guarantee === 'effectively-once' && delivery.takers.at(-1) !== actor)
        refuse('illegal-transition', 'you gave it back, and somebody else has it', { heldBy: delivery.takers.at(-1) });
      // What has expired meanwhile was received all the same.
      return [{ type: 'DispatchAcknowledged', data: { deliveryId, target, by: actor, digest, from } }];
    },
    'dispatch.reject': ({ deliveryId, number, reason, again }, state, { actor }) => {
      const { guarantee, delivery } = demand(state, deliveryId, (one) => one.takers.includes(actor));
      const { state: is, handings, target } = delivery;
      if (number > handings) refuse('out-of-range', `number: it was handed over ${handings} times`, { handings });
      if (again && guarantee === 'at-most-once')
        refuse('illegal-transition', 'what goes out at most once is never handed out again', { guarantee });
      const isOver = is === 'pending' || is === 'rejected' || number < handings;
      // A repeat, or of a handing over that another one came after: what came after is not undone by it.
      if (isOver && is !== 'acknowledged') return [];
      if (is !== 'sent' || delivery.takers.at(-1) !== actor)
        refuse('illegal-transition', `what is ${is} cannot be rejected`, { state: is });
      return [
        {
          type: again ? 'DispatchReturned' : 'DispatchRejected',
          data: { deliveryId, target, by: actor, number, reason },
        },
      ];
    },
    'dispatch.settle': ({ now }, state) => {
      if (state === null) return [];
      return Object.entries(state.deliveries).flatMap(([deliveryId, delivery]): readonly DispatchEvent[] => {
        const { target, handings } = delivery;
        if (!isOpen(delivery)) return [];
        if (isExhausted(delivery, now)) return [{ type: 'DispatchDied', data: { deliveryId, target, handings } }];
        const isDue = now >= Date.parse(state.expiresAt);
        return isDue ? [{ type: 'DispatchExpired', data: { deliveryId, target, handings } }] : [];
      });
    },
  },
};

/** To whom it is not for, it is not there. */
function demand(state: DispatchState, deliveryId: string, isOwn: (delivery: Delivery) => boolean) {
  const delivery = state?.deliveries[deliveryId];
  if (state === null || delivery === undefined || !isOwn(delivery))
    return refuse('not-found', 'there is no such delivery that was handed to you');
  return { ...state, delivery };
}

const isFor = ({ target }: Delivery, { actor, teams }: Pick<DecisionContext, 'actor'> & Pick<Asking, 'teams'>) =>
  target === actor || teams.some((team) => target === `team:${team}`);

/** It may still be handed out. What went out at most once is not. */
const isOpen = ({ state, visibleAt }: Delivery): boolean =>
  state === 'pending' || (state === 'sent' && visibleAt !== null);

const isVisible = ({ visibleAt }: Delivery, now: number): boolean => visibleAt === null || now >= Date.parse(visibleAt);

const isExhausted = (delivery: Delivery, now: number): boolean =>
  delivery.handings >= MOST_HANDINGS && isVisible(delivery, now);

function demandFree(
  { guarantee, expiresAt }: There,
  delivery: Delivery,
  { actor, now }: Pick<DecisionContext, 'actor'> & Pick<Asking, 'now'>,
): void {
  const { state, handings, visibleAt, takers } = delivery;
  if (!isOpen(delivery)) refuse('illegal-transition', `what is ${state} is not handed out`, { state });
  if (now >= Date.parse(expiresAt)) refuse('illegal-transition', 'it has expired', { expiresAt });
  if (handings >= MOST_HANDINGS) refuse('illegal-transition', `it was handed out ${handings} times`, { handings });
  if (!isVisible(delivery, now)) refuse('illegal-transition', 'somebody has it in hand', { visibleAt });
  // Its effect stands under the name of whoever had it: in another name it would be a second one.
  if (guarantee === 'effectively-once' && state === 'sent' && takers.at(-1) !== actor)
    refuse('illegal-transition', 'it goes to whoever had it, until they give it back', { heldBy: takers.at(-1) });
}
