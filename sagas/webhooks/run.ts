import type { Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { untilLogIsRight } from '@workledger/shared/consumption/log-identity.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { claimDue, settle, type Claimed, type Outcome } from './deliveries.ts';
import { AT_ONCE, createLanes } from './lanes.ts';
import { createLooks } from './looks.ts';
import { keepCatchingUp, receiveEvents, type ReceivingOptions } from './receive.ts';
import { createRepositoryOf } from './repository.ts';
import { sendOnce, type SendingOptions } from './send.ts';
import { keepTidy, readFacts } from './tidy.ts';

export type WebhooksOptions = Omit<ReceivingOptions, 'repositoryOf' | 'looks'> &
  SendingOptions & { readonly commands: Commands };

/** After a look that failed. */
const REST_MILLISECONDS = 1_000;
/** Beside the time for an answer: nobody else tries it before. */
const LEASE_SECONDS = 20;
/** Who waits longer for a turn at its host gives back what it has, long before its lease ends. */
const TURN_MILLISECONDS = 10_000;
const DAY_MILLISECONDS = 86_400_000;

/** What was decided from one log is not sent of another. */
const WEBHOOKS = { schema: 'sagas', belongs: 'the sagas (schema sagas) belong', meanwhile: 'Nothing is sent' };

/** Sends events to those who subscribed to them, until the signal aborts. Any number of processes may share the work. */
export function createWebhooks(options: WebhooksOptions) {
  const { pool, log, logger, outages, signal, commands, configuration, onWaiting } = options;
  const lanes = createLanes(configuration);
  const looks = createLooks();
  const inHand = new Map<string, number>();
  let facts: Readonly<Record<string, unknown>> = {};

  /** It does not answer for so long, or does not want any more: a person decides how it goes on. */
  async function end(webhookId: string, type: 'webhook.give-up' | 'webhook.disable', reason: string): Promise<void> {
    const command = { type, target: webhookId, data: { reason: foreignText(reason, 1_000) } };
    const context = { actor: `saga:saga-webhooks-${webhookId}`, correlationId: newId(), commandId: newId() };
    await commands.send(command, context).catch((error: unknown) => {
      if (!(error instanceof CommandRefused)) throw error;
    });
  }

  async function follow({ webhookId }: Claimed, outcome: Outcome, failing: number): Promise<void> {
    if (outcome.kind !== 'failed' && outcome.kind !== 'postponed') return;
    if (outcome.kind === 'failed' && outcome.gone === true) return end(webhookId, 'webhook.disable', outcome.reason);
    const { pauseAfterDays } = configuration.outgoingWebhooks;
    if (failing < pauseAfterDays * DAY_MILLISECONDS) return;
    const days = pauseAfterDays === 1 ? '1 day' : `${pauseAfterDays} days`;
    await end(webhookId, 'webhook.give-up', `nothing could be delivered for ${days}; the last time: ${outcome.reason}`);
  }

  async function deliver(claimed: Claimed): Promise<void> {
    const lane = lanes.of(claimed.webhookId, claimed.url);
    const begun = performance.now();
    const leave = await lane.host.take(signal);
    try {
      if (performance.now() - begun > TURN_MILLISECONDS)
        return void (await settle(pool, claimed, { kind: 'given-back' }, lane.outbound.state().breaker));
      const outcome = await sendOnce(claimed, lane.outbound, options, signal);
      const failing = await settle(pool, claimed, outcome, lane.outbound.state().breaker);
      await follow(claimed, outcome, failing);
    } finally {
      leave();
    }
  }

  function begin(claimed: Claimed): void {
    const { webhookId } = claimed;
    inHand.set(webhookId, (inHand.get(webhookId) ?? 0) + 1);
    void deliver(claimed)
      // What failed here is no fault of the subscriber's: its lease ends, and it is tried again.
      .catch((error: unknown) => {
        if (!signal.aborted && !outages.isTold(error))
          logger.warn({ webhookId, reason: oneLine(error) }, 'a delivery could not be tried: it is tried again');
      })
      .finally(() => {
        const left = (inHand.get(webhookId) ?? 1) - 1;
        if (left > 0) inHand.set(webhookId, left);
        else inHand.delete(webhookId);
        looks.due.wake();
      });
  }

  async function keepSending(): Promise<void> {
    const leaseSeconds = configuration.outgoingWebhooks.timeoutSeconds + LEASE_SECONDS;
    while (!signal.aborted) {
      const seen = looks.due.count();
      try {
        const busy = [...inHand.keys()];
        const due = await outages.watch('postgresql', () => claimDue(pool, { busy, each: AT_ONCE, leaseSeconds }));
        for (const claimed of due) begin(claimed);
        if (due.length > 0) continue;
      } catch (error) {
        if (!signal.aborted && !outages.isTold(error))
          logger.error({ err: error }, 'webhooks cannot look for what is due: trying again');
        await pause(REST_MILLISECONDS, signal);
      }
      await looks.due.next(looks.longest(), signal, seen);
    }
    while (inHand.size > 0) await pause(20);
  }

  return {
    run: async (): Promise<void> => {
      const onProblem = (problem: string | null): void => onWaiting?.('webhooks: the event log', problem);
      await untilLogIsRight('webhooks', WEBHOOKS, { pool, log, logger, signal, outages, onProblem });
      if (signal.aborted) return;
      const receiving = { ...options, repositoryOf: createRepositoryOf(log), looks };
      const tidy = keepTidy(options, async () => {
        facts = await readFacts(pool);
        looks.saw('webhooks' in facts);
      });
      await Promise.all([receiveEvents(receiving), keepCatchingUp(receiving), keepSending(), tidy]);
    },
    facts: () => facts,
  };
}
