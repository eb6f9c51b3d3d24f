import { LRUCache } from 'lru-cache';
import { hostOf } from '@workledger/shared/config/outbound.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { createOutbound, type Outbound } from '@workledger/shared/outbound/outbound.ts';
import { createSlots, type Slots } from '@workledger/shared/outbound/slots.ts';

/** Deliveries of one subscription at once, and of all to one host. */
export const AT_ONCE = 4;
const AT_ONCE_TO_A_HOST = 12;
const KEPT = 2_000;

/** A way out for each subscription: what one does to its own holds up no other. */
export type Lane = { readonly url: string; readonly outbound: Outbound; readonly host: Slots };

export function createLanes({ outbound, outgoingWebhooks }: Pick<Configuration, 'outbound' | 'outgoingWebhooks'>) {
  const lanes = new LRUCache<string, Lane>({ max: KEPT });
  const hosts = new LRUCache<string, Slots>({ max: KEPT });

  return {
    /** The same one as long as its address stays. */
    of: (webhookId: string, address: string): Lane => {
      const before = lanes.get(webhookId);
      if (before?.url === address) return before;
      const base = new URL(new URL(address).origin);
      const host = hosts.get(hostOf(base)) ?? createSlots(AT_ONCE_TO_A_HOST);
      hosts.set(hostOf(base), host);
      const target = {
        name: 'the subscriber',
        base,
        atOnce: AT_ONCE,
        changesAtOnce: AT_ONCE,
        tries: 1,
        bodiless: true,
      } as const;
      const lane = {
        ...{ url: address, host },
        outbound: createOutbound(target, {
          allowHosts: outgoingWebhooks.allowHosts,
          privateHosts: outbound.privateHosts,
          timeoutMs: 1_000 * outgoingWebhooks.timeoutSeconds,
        }),
      };
      lanes.set(webhookId, lane);
      return lane;
    },
  };
}
