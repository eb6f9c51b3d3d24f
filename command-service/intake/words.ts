import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { CommandContext } from '@workledger/shared/commands/port.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { type DeliveryEvent, messageStreamId } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RoutingRules, Signal, Words } from '../domain/signal.ts';
import { type Knowing, newestOf } from './known.ts';
import type { Provider } from './provider.ts';

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
