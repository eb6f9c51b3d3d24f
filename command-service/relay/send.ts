import { backOff, pause } from '@workledger/shared/resilience/pause.ts';
import type { Outage } from '@workledger/shared/resilience/outages/outages.ts';
import type { Lease } from './lease/hold-lease.ts';

export type SendOptions = {
  readonly lease: Lease;
  /** The relay shall stop: no attempt is begun any more. */
  readonly signal: AbortSignal;
  readonly outage: Outage;
  /** Runs after each failure, before the next attempt. */
  readonly onFailed: () => Promise<void>;
};

/**
 * Publishes a batch, again and again until the bus takes it: a repeat of what may have arrived, never a gap. The lease is looked
 * at before each attempt, with nothing between the look and the send.
 * @returns false when the lease is lost or the signal aborted: nothing is known of the batch then
 */
export async function send(
  publish: () => Promise<void>,
  { lease, signal, outage, onFailed }: SendOptions,
): Promise<boolean> {
  for (let attempt = 0; await lease.untilHeld(signal); attempt++) {
    try {
      await publish();
      outage.worked(null);
      return true;
    } catch (error) {
      outage.failed(null, error);
      await pause(backOff(attempt, 100, 2_000), AbortSignal.any([signal, lease.lost]));
      await onFailed();
    }
  }
  return false;
}
