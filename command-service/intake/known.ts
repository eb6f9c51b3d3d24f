import { createHash } from 'node:crypto';
import type { CommandContext, Commands } from '@workledger/shared/commands/port.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import {
  bodyStreamId,
  type DeliveryEvent,
  issueStreamId,
  messageStreamId,
  type ProviderName,
} from '@workledger/shared/contexts/sync/delivery/events.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import { type Outcome, rulesThatAsk, withAgeInView } from '../domain/delivery.ts';
import { asksOf, type RoutingRules, type Signal, type Words } from '../domain/signal.ts';
import type { Provider } from './provider.ts';

export type Knowing = { readonly commands: Commands; readonly log: EventLog };

/** The delivery of a provider, here and as it names it. */
export type Named = { readonly id: string; readonly deliveryId: string };

/**
 * The delivery that brought this body first: the given one, unless another one did. The signature is over the body alone, so who
 * captured one may send it under any delivery id; it stays the first one's.
 */
export const firstWithBody = (
  knowing: Knowing,
  provider: ProviderName,
  bytes: Uint8Array,
  given: Named,
  context: CommandContext,
): Promise<Named> =>
  firstOf(knowing, bodyStreamId(provider, createHash('sha256').update(bytes).digest('hex')), given, context);

/** The delivery that told first of what has a name at the provider, for what must be heard once: the given one, unless another one did. */
export const firstWithName = async (
  knowing: Knowing,
  provider: ProviderName,
  { name, answer }: Signal,
  given: Named,
  context: CommandContext,
): Promise<Named> =>
  name === undefined || answer === undefined
    ? given
    : firstOf(knowing, bodyStreamId(provider, `name:${name}`), given, context);

async function firstOf(
  { commands, log }: Knowing,
  target: string,
  given: Named,
  context: CommandContext,
): Promise<Named> {
  const known = await newestOf(log, target);
  if (known?.type === 'DeliveryBodyNoted') return known.data;
  await commands.send({ type: 'delivery.note-body', target, data: given }, context);
  const noted = await newestOf(log, target);
  if (noted?.type !== 'DeliveryBodyNoted') throw new LogBehind(`delivery ${target}`, 0, 'none');
  return noted.data;
}

/** Notes of when the state is that a delivery would act on; an older one than what acted before has no effect. */
export async function judgeAge(
  { commands, log, isFound = false }: Knowing & { readonly isFound?: boolean },
  provider: ProviderName,
  signal: Signal,
  outcome: Outcome,
  context: CommandContext,
  rules: RoutingRules,
): Promise<Outcome> {
  if (!('intent' in outcome) || !('issue' in signal) || signal.repository === null) return outcome;
  const { id, updatedAt } = signal.issue;
  if (typeof updatedAt !== 'string') return outcome;
  const target = issueStreamId(provider, signal.repository, id);
  const noted = await newestOf(log, target);
  const newest = noted?.type === 'IssueStateNoted' ? noted.data.updatedAt : null;
  const judged = withAgeInView(outcome, signal, newest, isFound);
  if (judged === outcome && updatedAt !== newest)
    await commands.send(
      { type: 'delivery.note-state', target, data: { updatedAt, ...askingOf(provider, signal, outcome, rules) } },
      context,
    );
  return judged;
}

/** What asked, where something did. */
function askingOf(provider: ProviderName, signal: Signal, outcome: Outcome, rules: RoutingRules) {
  if (!('intent' in outcome) || outcome.intent.kind !== 'create-task') return {};
  const earlier = rulesThatAsk(provider, signal, rules).filter((name) => name !== outcome.rule);
  return { rule: outcome.rule, ...(earlier.length > 0 && { earlier }) };
}

/** The rules that asked for work on the signal's issue, where that is needed: where something was taken back, and not told what. */
export async function rulesThatAsked(
  log: EventLog,
  provider: ProviderName,
  signal: Signal,
): Promise<readonly string[]> {
  if (!('issue' in signal) || signal.repository === null) return [];
  if (asksOf(signal).takenBack.every(({ what }) => what !== null)) return [];
  const noted = await newestOf(log, issueStreamId(provider, signal.repository, signal.issue.id));
  if (noted?.type !== 'IssueStateNoted') return [];
  const { rule, earlier = [] } = noted.data;
  return [...earlier, ...(rule === undefined ? [] : [rule])];
}

/** In place of somebody's id. */
const BY_WORDS = '(words)';

/** An emoji is taken back by whoever gave it first: another's, on the same message, ends nothing. */
export async function judgeBeginner(
  { commands, log }: Knowing,
  provider: ProviderName,
  signal: Signal,
  outcome: Outcome,
  context: CommandContext,
): Promise<Outcome> {
  const { repository, sender } = signal;
  if (provider !== 'slack' || !('intent' in outcome) || !('issue' in signal)) return outcome;
  if (repository === null || sender === null) return outcome;
  const { asked, takenBack } = asksOf(signal);
  const target = issueStreamId(provider, repository, signal.issue.id);
  if (outcome.intent.kind === 'create-task') {
    if (asked.some(({ by }) => by === 'command')) return outcome;
    const begunBy = asked.some(({ by }) => by === 'reaction') ? sender : BY_WORDS;
    const data = { updatedAt: new Date().toISOString(), rule: outcome.rule, begunBy };
    await commands.send({ type: 'delivery.note-state', target, data }, context);
    return outcome;
  }
  if (!takenBack.some(({ by }) => by === 'reaction')) return outcome;
  const noted = await newestOf(log, target);
  const begunBy = noted?.type === 'IssueStateNoted' ? noted.data.begunBy : undefined;
  return begunBy === undefined || begunBy === sender
    ? outcome
    : { reason: 'this emoji did not begin the work: whoever gave the first takes it back' };
}

/** The newest event of a stream: it costs the same however long that is. */
async function newestOf(log: EventLog, id: string): Promise<DeliveryEvent | null> {
  for await (const recorded of log.readStream(streamName('delivery', id), { direction: 'backward', limit: 1 }))
    return upcast(recorded) as DeliveryEvent;
  return null;
}

/** Notes which delivery brought the words of a message, where a rule may be about them later: nobody repeats them then. */
export async function noteWords(
  { commands }: Pick<Knowing, 'commands'>,
  { name }: Provider,
  { words, repository }: Signal,
  { repositories, rules }: RoutingRules,
  id: string,
  context: CommandContext,
): Promise<void> {
  if (words === undefined || repository === null) return;
  if (!repositories.some((each) => each[name]?.toLowerCase() === repository.toLowerCase())) return;
  if (!rules.some((rule) => rule.provider === name && (rule.reaction ?? rule.mention) !== undefined)) return;
  const target = messageStreamId(name, repository, words.message);
  await commands.send({ type: 'delivery.note-message', target, data: { id, saidAt: words.saidAt } }, context);
}

/** The signal with the words that its issue refers to, the newest of them; null where they never came, or are here no more. */
export async function withWords(
  { log, artefacts }: Pick<Knowing, 'log'> & { readonly artefacts: Artefacts },
  provider: Provider,
  signal: Extract<Signal, { issue: unknown }>,
): Promise<Signal | null> {
  const { repository, issue } = signal;
  if (repository === null || !issue.wordsIn) return signal;
  const noted = await newestOf(log, messageStreamId(provider.name, repository, issue.wordsIn));
  if (noted?.type !== 'MessageNoted') return null;
  const words = await wordsOf({ log, artefacts }, provider, noted.data.id);
  return words?.message === issue.wordsIn ? { ...signal, issue: { ...issue, ...words.issue } } : null;
}

async function wordsOf(
  { log, artefacts }: Parameters<typeof withWords>[0],
  provider: Provider,
  id: string,
): Promise<Words | null> {
  for await (const recorded of log.readStream(streamName('delivery', id), {
    from: 0,
    direction: 'forward',
    limit: 1,
  })) {
    const received = upcast(recorded) as DeliveryEvent;
    if (received.type !== 'DeliveryReceived') return null;
    const { event, body } = received.data;
    const kept = await artefacts.get(body.digest);
    if (kept === null || kept === undefined) return null;
    const request = { headers: {}, bytes: kept.bytes, mediaType: body.mediaType, receivedAt: recorded.recordedAt };
    return provider.read(event, request).words ?? null;
  }
  return null;
}
