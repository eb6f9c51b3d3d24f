import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { DispatchEvent, Guarantee } from './events.ts';

export const deliveryStates = ['pending', 'sent', 'acknowledged', 'rejected', 'expired', 'dead'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

export type Delivery = {
  readonly target: string;
  readonly state: DeliveryState;
  readonly handings: number;
  /** From when on it is handed out again, ISO 8601; null: at once where it is pending, else never. */
  readonly visibleAt: string | null;
  /** Everybody that it was handed over to, the last one last. */
  readonly takers: readonly string[];
  /** Who acknowledged or rejected it. */
  readonly settledBy: string | null;
};

/** A dispatch, without its payload: that stays in its first event. Null: there is none. */
export type DispatchState = {
  readonly from: string;
  readonly guarantee: Guarantee;
  readonly digest: string;
  readonly expiresAt: string;
  readonly repository: string | null;
  readonly deliveries: Readonly<Record<string, Delivery>>;
} | null;

const PENDING = { state: 'pending', handings: 0, visibleAt: null, takers: [], settledBy: null } as const;

export const dispatchFold: Fold<DispatchState, DispatchEvent> = {
  type: 'dispatch',
  initial: null,
  snapshot: plainSnapshot(1),
  evolve: (state, event) => {
    if (event.type === 'DispatchSent') {
      const { from, guarantee, digest, expiresAt, repository } = event.data;
      const deliveries = Object.fromEntries<Delivery>(
        event.data.deliveries.map(({ deliveryId, target }) => [deliveryId, { ...PENDING, target }]),
      );
      return { from, guarantee, digest, expiresAt, repository, deliveries };
    }
    const { deliveryId } = event.data;
    const before = state?.deliveries[deliveryId];
    if (state === null || before === undefined) return state;
    return { ...state, deliveries: { ...state.deliveries, [deliveryId]: { ...before, ...changed(before, event) } } };
  },
};

function changed(
  { takers }: Delivery,
  event: Exclude<DispatchEvent, { readonly type: 'DispatchSent' }>,
): Partial<Delivery> {
  switch (event.type) {
    case 'DispatchHandedOver': {
      const { to, number, visibleAt } = event.data;
      return { state: 'sent', handings: number, visibleAt, takers: [...takers.filter((one) => one !== to), to] };
    }
    case 'DispatchAcknowledged':
      return { state: 'acknowledged', visibleAt: null, settledBy: event.data.by };
    case 'DispatchReturned':
      return { state: 'pending', visibleAt: null };
    case 'DispatchRejected':
      return { state: 'rejected', visibleAt: null, settledBy: event.data.by };
    case 'DispatchExpired':
      return { state: 'expired', visibleAt: null };
    case 'DispatchDied':
      return { state: 'dead', visibleAt: null };
  }
}
