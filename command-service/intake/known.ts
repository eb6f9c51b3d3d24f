import { createHash } from 'node:crypto';
import type { CommandContext, Commands } from '@workledger/shared/commands/port.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import {
  bodyStreamId,
  type DeliveryEvent,
  issueStreamId,
  type ProviderName,
} from '@workledger/shared/contexts/sync/delivery/events.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { type Outcome, withAgeInView } from '../domain/delivery.ts';
import { asksOf, type Signal } from '../domain/signal.ts';

export type Knowing = { readonly commands: Commands; readonly log: EventLog };

/** The delivery of a provider, here and as it names it. */
export type Named = { readonly id: string; readonly deliveryId: string };

/**
 * The delivery that brought this body first: the given one, unless another one did. The signature is over the body alone, so who
 * captured one may send it under any delivery id; it stays the first one's.
 */
export async function firstWithBody(
  { commands, log }: Knowing,
  provider: ProviderName,
  bytes: Uint8Array,
  given: Named,
  context: CommandContext,
): Promise<Named> {
  const target = bodyStreamId(provider, createHash('sha256').update(bytes).digest('hex'));
  const known = await newestOf(log, target);
  if (known?.type === 'DeliveryBodyNoted') return known.data;
  await commands.send({ type: 'delivery.note-body', target, data: given }, context);
  const noted = await newestOf(log, target);
  if (noted?.type !== 'DeliveryBodyNoted') throw new LogBehind(`delivery ${target}`, 0, 'none');
  return noted.data;
}

/** Notes of when the state is that a delivery would act on; an older one than what acted before has no effect. */
export async function judgeAge(
  { commands, log }: Knowing,
  provider: ProviderName,
  signal: Signal,
  outcome: Outcome,
  context: CommandContext,
): Promise<Outcome> {
  if (!('intent' in outcome) || !('issue' in signal) || signal.repository === null) return outcome;
  const { id, updatedAt } = signal.issue;
  if (typeof updatedAt !== 'string') return outcome;
  const target = issueStreamId(provider, signal.repository, id);
  const noted = await newestOf(log, target);
  const newest = noted?.type === 'IssueStateNoted' ? noted.data.updatedAt : null;
  const judged = withAgeInView(outcome, signal, newest);
  if (judged === outcome && updatedAt !== newest)
    await commands.send({ type: 'delivery.note-state', target, data: { updatedAt, ...ruleOf(outcome) } }, context);
  return judged;
}

const ruleOf = (outcome: Outcome) =>
  'intent' in outcome && outcome.intent.kind === 'create-task' ? { rule: outcome.rule } : {};

/** The rule that asked for work on the signal's issue last, where that is needed: where something was taken back, and not told what. */
export async function ruleThatAsked(log: EventLog, provider: ProviderName, signal: Signal): Promise<string | null> {
  if (!('issue' in signal) || signal.repository === null) return null;
  if (asksOf(signal).takenBack.every(({ what }) => what !== null)) return null;
  const noted = await newestOf(log, issueStreamId(provider, signal.repository, signal.issue.id));
  return noted?.type === 'IssueStateNoted' ? (noted.data.rule ?? null) : null;
}

/** The newest event of a stream: it costs the same however long that is. */
export async function newestOf(log: EventLog, id: string): Promise<DeliveryEvent | null> {
  for await (const recorded of log.readStream(streamName('delivery', id), { direction: 'backward', limit: 1 }))
    return upcast(recorded) as DeliveryEvent;
  return null;
}
