import { readState } from '@workledger/shared/aggregate/read-state.ts';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandContext, Commands } from '@workledger/shared/commands/port.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { deliveryStreamId, type DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { taskFold } from '@workledger/shared/contexts/task/task/state.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { readKnown } from '@workledger/shared/event-log/read-known.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { z } from 'zod';
import { type Outcome, routeDelivery, withTaskInView } from '../domain/delivery.ts';
import { located, type RoutingRules, type Signal } from '../domain/signal.ts';
import {
  firstWithBody,
  firstWithName,
  judgeAge,
  judgeBeginner,
  noteWords,
  rulesThatAsked,
  withWords,
} from './known.ts';
import type { Identity, Provider, ProviderRequest } from './provider.ts';

/** @param title the provider's name as people write it */
export const receiptSchema = (title: string) =>
  z.object({
    id: z.uuid().describe('The delivery here.'),
    deliveryId: z.string().describe(`The delivery's id at ${title}.`),
    outcome: z.enum(['routed', 'ignored']),
    taskId: z.uuid().optional().describe('The task that it led to.'),
    reason: z.string().optional().describe('Why it was ignored.'),
    redelivery: z
      .literal(true)
      .optional()
      .describe('It was here before, by its id or by its body: this is what was judged then.'),
    judgedAt: z.iso.datetime().optional().describe('When that was; only with `redelivery`.'),
    next: z.string().optional().describe('How to start the work now; only with `redelivery`.'),
  });
export type Receipt = z.infer<ReturnType<typeof receiptSchema>>;

type RecordedReceipt = {
  readonly receipt: Receipt;
  readonly commandId: string;
  readonly token: string;
  readonly judgedAt: Date;
};

type Delivery = Identity & {
  /** Which has been verified. */
  readonly request: ProviderRequest;
  readonly correlationId: string;
  readonly traceparent: string | null;
  /** We asked for it: the provider's own delivery of the same may have come, or come yet. */
  readonly isFound?: true;
};

export type ReceivingOptions = {
  readonly commands: Commands;
  readonly log: EventLog;
  readonly artefacts: Artefacts;
  readonly rules: RoutingRules;
};

/**
 * Records a verified delivery and what the rules make of it, once: a replay gets the first receipt, whatever the rules say by now.
 * What was sent before under another id is a replay, too; what is signed and not understood is recorded as such.
 */
export async function receiveDelivery(
  { commands, log, artefacts, rules }: ReceivingOptions,
  provider: Provider,
  { event, deliveryId, sentAt, request, correlationId, traceparent, isFound }: Delivery,
): Promise<RecordedReceipt & { readonly isFirst: boolean }> {
  const context = { actor: 'system', correlationId, traceparent };
  const known = { commands, log, artefacts };
  const given = { id: deliveryStreamId(provider.name, deliveryId), deliveryId };
  const before = await readReceipt(log, given.id);
  if (before !== null) return { ...before, isFirst: false };

  const signal = located(provider.name, understand(provider, event, request), rules);
  const withBody = await firstWithBody(known, provider.name, request.bytes, given, context);
  const { id, deliveryId: first } = await firstWithName(known, provider.name, signal, withBody, context);
  // Where the first one's process was killed in between, this one goes on in its place.
  const earlier = id === given.id ? null : await readReceipt(log, id);
  if (earlier !== null) return { ...earlier, isFirst: false };

  const outcome = await judge(provider, signal, rules, { ...known, isFound: isFound === true }, context);
  const { action, repository, sender } = signal;
  const body = await artefacts.put(request.bytes, request.mediaType);
  const said = { provider: provider.name, deliveryId: first, event, action, repository, sender, body };
  const data: CommandData<'delivery.receive'> = { received: { ...said, ...(sentAt && { sentAt }) }, outcome };
  // Before it is recorded: what was not is sent again.
  await noteWords(known, provider, signal, rules, id, context);
  const commandId = newId();
  const { revision } = await commands.send({ type: 'delivery.receive', target: id, data }, { ...context, commandId });
  const receipt = await readReceipt(log, id, revision);
  if (receipt === null) throw new LogBehind(`delivery ${id}`, revision, 'none');
  // Of two copies that came at the same time one was first: the log says which.
  return { ...receipt, isFirst: receipt.commandId === commandId };
}

function understand(provider: Provider, event: string, request: ProviderRequest): Signal {
  try {
    return provider.read(event, request);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { action: null, repository: null, sender: null, reason: `the body is not understood: ${error.message}` };
  }
}

/** What the rules make of it; the log is asked only where they make something of it. */
async function judge(
  provider: Provider,
  given: Signal,
  rules: RoutingRules,
  known: Omit<ReceivingOptions, 'rules'> & { readonly isFound: boolean },
  context: CommandContext,
): Promise<Outcome> {
  const { name } = provider;
  if (given.answer !== undefined) {
    const outcome = routeDelivery(name, given, rules);
    if (!('verb' in outcome)) return outcome;
    const { status } = await readState(known.log, taskFold, outcome.taskId);
    if (status !== 'missing') return outcome;
    const { answer: _, ...asked } = given;
    return judge(provider, asked, rules, known, context);
  }
  const askedBy = await rulesThatAsked(known.log, name, given);
  const first = routeDelivery(name, given, rules, askedBy);
  const inView = async (outcome: Outcome, signal: Signal): Promise<Outcome> => {
    if (!('taskId' in outcome)) return outcome;
    const { status } = await readState(known.log, taskFold, outcome.taskId);
    return withTaskInView(outcome, status, name, signal, rules);
  };
  if (!('intent' in first) || !('issue' in given)) return inView(first, given);
  const worded = await withWords(known, provider, given);
  if (worded === null && first.intent.kind === 'create-task')
    return { reason: 'the words that it is about never came here: let the app hear the messages of this channel' };
  const signal = worded ?? given;
  const routed = signal === given ? first : routeDelivery(name, signal, rules, askedBy);
  const aged = await judgeAge(known, name, signal, routed, context, rules);
  return inView(await judgeBeginner(known, name, signal, aged, context), signal);
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
    const outcome = outcomeOf(event);
    if (outcome === null) continue;
    const { commandId } = recorded.metadata;
    const judgedAt = recorded.recordedAt;
    return { receipt: { id, deliveryId, ...outcome }, commandId, judgedAt, token: `${stream}@${recorded.revision}` };
  }
  return null;
}

/** What a receipt tells of it; null: it is no outcome. */
function outcomeOf(event: DeliveryEvent): Pick<Receipt, 'outcome' | 'taskId' | 'reason'> | null {
  switch (event.type) {
    case 'DeliveryIgnored':
      return { outcome: 'ignored', reason: event.data.reason };
    case 'DeliveryRouted':
    case 'DeliveryNoticed':
      return { outcome: 'routed', taskId: event.data.taskId };
    case 'DeliveryReviewAsked':
      return { outcome: 'routed' };
    case 'DeliveryAnswered':
      return event.data.isTrusted
        ? { outcome: 'routed', taskId: event.data.taskId }
        : { outcome: 'ignored', reason: 'the sender is not trusted: they are told so' };
    default:
      return null;
  }
}
