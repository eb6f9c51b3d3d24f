import { readState } from '@workledger/shared/aggregate/read-state.ts';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { deliveryStreamId, type DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { taskFold } from '@workledger/shared/contexts/task/task/state.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { readKnown } from '@workledger/shared/event-log/read-known.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { z } from 'zod';
import { type Outcome, routeDelivery, type RoutingRules, type Signal, withTaskInView } from '../domain/delivery.ts';
import type { Identity, Provider, ProviderRequest } from './provider.ts';

/** @param title the provider's name as people write it */
export const receiptSchema = (title: string) =>
  z.object({
    id: z.uuid().describe('The delivery here.'),
    deliveryId: z.string().describe(`The delivery's id at ${title}.`),
    outcome: z.enum(['routed', 'ignored']),
    taskId: z.uuid().optional().describe('The task that it led to.'),
    reason: z.string().optional().describe('Why it was ignored.'),
  });
type Receipt = z.infer<ReturnType<typeof receiptSchema>>;
type RecordedReceipt = { readonly receipt: Receipt; readonly commandId: string; readonly token: string };

export type Delivery = Identity & {
  /** Which has been verified. */
  readonly request: ProviderRequest;
  readonly correlationId: string;
  readonly traceparent: string;
};

export type ReceivingOptions = {
  readonly commands: Commands;
  readonly log: EventLog;
  readonly artefacts: Artefacts;
  readonly rules: RoutingRules;
};

/**
 * Records a verified delivery and what the rules make of it, once: a replay gets the first receipt, whatever the rules say by now.
 * @throws Problem when the body is not what the provider sends; then nothing is recorded
 */
export async function receiveDelivery(
  { commands, log, artefacts, rules }: ReceivingOptions,
  provider: Provider,
  { event, deliveryId, request, correlationId, traceparent }: Delivery,
): Promise<RecordedReceipt & { readonly isFirst: boolean }> {
  const id = deliveryStreamId(provider.name, deliveryId);
  const before = await readReceipt(log, id);
  if (before !== null) return { ...before, isFirst: false };

  const signal = provider.read(event, request);
  const outcome = await judge(provider, signal, rules, log);
  const { action, repository, sender } = signal;
  const body = await artefacts.put(request.bytes, request.mediaType);
  const data: CommandData<'delivery.receive'> = {
    received: { provider: provider.name, deliveryId, event, action, repository, sender, body },
    outcome,
  };
  const commandId = newId();
  const { revision } = await commands.send(
    { type: 'delivery.receive', target: id, data },
    { commandId, actor: 'system', correlationId, traceparent },
  );
  const receipt = await readReceipt(log, id, revision);
  if (receipt === null) throw new LogBehind(`delivery ${id}`, revision, 'none');
  // Of two copies that came at the same time one was first: the log says which.
  return { ...receipt, isFirst: receipt.commandId === commandId };
}

/** What the rules make of it; the log is asked only where they make something of it. */
async function judge({ name }: Provider, signal: Signal, rules: RoutingRules, log: EventLog): Promise<Outcome> {
  const outcome = routeDelivery(name, signal, rules);
  if (!('taskId' in outcome)) return outcome;
  const { status } = await readState(log, taskFold, outcome.taskId);
  return withTaskInView(outcome, status, name, signal, rules);
}

/**
 * What became of a delivery, as its stream tells it; null when it has not come yet.
 * @param reaches a revision that its stream has for certain; default: nothing is known @throws LogBehind
 */
async function readReceipt(log: EventLog, id: string, reaches = -1): Promise<RecordedReceipt | null> {
  const stream = streamName('delivery', id);
  let deliveryId = '';
  for await (const recorded of readKnown(log, stream, { from: 0, reaches })) {
    const event = upcast(recorded) as DeliveryEvent;
    if (event.type === 'DeliveryReceived') {
      deliveryId = event.data.deliveryId;
      continue;
    }
    const outcome =
      event.type === 'DeliveryRouted'
        ? ({ outcome: 'routed', taskId: event.data.taskId } as const)
        : ({ outcome: 'ignored', reason: event.data.reason } as const);
    const { commandId } = recorded.metadata;
    return { receipt: { id, deliveryId, ...outcome }, commandId, token: `${stream}@${recorded.revision}` };
  }
  return null;
}
