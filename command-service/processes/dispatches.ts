import { createHash } from 'node:crypto';
import { canonical, type Json } from '@workledger/shared/contexts/sync/document/json.ts';
import { recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { deliveryIdOf, type DispatchEvent } from '@workledger/shared/contexts/agent/dispatch/events.ts';
import { messageTypeId } from '@workledger/shared/contexts/agent/message-type/events.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { checkContent } from './content.ts';
import { placeOf } from './messages.ts';
import { demandParticipant } from './participants.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

const MOST_PAYLOAD_BYTES = 65_536;
/** Days that something is handed out at most: a day less than commands are remembered, so that an effect under its key happens once. */
const MOST_DAYS = 6;
const DAY_MS = 86_400_000;

type Recorded<Type extends DispatchEvent['type']> = RecordedEvent<
  Type,
  Extract<DispatchEvent, { readonly type: Type }>['data']
>;

/** Sends under a guarantee: whom it is for must be there, and its payload fit its type where that is registered. @throws CommandRefused */
async function sendDispatch(
  room: Room,
  id: string,
  { targets, expiresAt, repository, payload: given, ...sent }: CommandData<'dispatch.send'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { dispatch } = room.aggregates;
  const { commands } = await dispatch.load(id);
  // A repeat answers as before, whatever has gone since.
  const isRepeat = recall(commands, context.commandId, context.commandHash) !== undefined;
  if (!isRepeat) await demandTargets(room, targets);
  const payload = canonical((given ?? null) as Json);
  if (!isRepeat && Buffer.byteLength(payload) > MOST_PAYLOAD_BYTES)
    refuse('too-large', `payload: at most ${MOST_PAYLOAD_BYTES} bytes as JSON`);
  const typeNumber = await judge(room, sent.type, { value: given ?? null, text: payload, isRepeat });
  const place = await placeOf(room, { repository, taskId: null }, context);
  const deliveries = targets.map((target) => ({ deliveryId: deliveryIdOf(id, target), target }));
  const data = {
    ...{ ...sent, from: context.actor, deliveries, typeNumber, payload, digest: digestOf(payload) },
    ...{ ...place, expiresAt: expiryOf(expiresAt, room.now(), isRepeat) },
  };
  const answer = await dispatch.handle(id, { type: 'dispatch.send', data }, context);
  return { ...answer, details: { deliveries } };
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

async function demandTargets(room: Room, targets: readonly string[]): Promise<void> {
  if (new Set(targets).size < targets.length)
    refuse('out-of-range', 'targets: name each once', { errors: [{ path: 'targets', message: 'named twice' }] });
  for (const [index, target] of targets.entries())
    if (!target.startsWith('team:')) await demandParticipant(room, target, `targets.${index}`);
}

/** @returns the number of the type's schema; null: no such type is registered, and any payload fits */
async function judge(
  { aggregates }: Room,
  type: string,
  { value, text, isRepeat }: { readonly value: unknown; readonly text: string; readonly isRepeat: boolean },
): Promise<number | null> {
  const id = messageTypeId(type);
  const { state } = await aggregates['message-type'].load(id);
  if (state === null) return null;
  if (!isRepeat) checkContent({ key: `${id}@${state.number}`, schema: state.schema }, value, text);
  return state.number;
}

function expiryOf(given: string | null, now: number, isRepeat: boolean): string {
  const latest = now + MOST_DAYS * DAY_MS;
  const at = given === null ? latest : Date.parse(given);
  if (!isRepeat && (at <= now || at > latest))
    refuse('out-of-range', `expiresAt: later than now, and within ${MOST_DAYS} days`, {
      errors: [{ path: 'expiresAt', message: `until ${new Date(latest).toISOString()}` }],
    });
  return new Date(at).toISOString();
}

/** Beyond the repositories that a key is limited to, a dispatch is not there. @throws CommandRefused `not-found` */
async function demandWithin({ aggregates }: Room, id: string, { repositories }: StepContext): Promise<void> {
  if (repositories === undefined) return;
  const { state } = await aggregates.dispatch.load(id);
  if (state === null || state.repository === null || !repositories.includes(state.repository))
    refuse('not-found', 'there is no such delivery that was handed to you');
}

/** Hands over to whoever asks; that it was stands in the log before anybody has it. @throws CommandRefused: it is not to be had */
async function handOver(
  room: Room,
  id: string,
  data: CommandData<'dispatch.hand'>,
  context: StepContext,
): Promise<CommandAnswer> {
  await demandWithin(room, id, context);
  const asking = { ...data, now: room.now(), teams: context.caller?.teams ?? [] };
  const answer = await room.aggregates.dispatch.handle(id, { type: 'dispatch.hand', data: asking }, context);
  const sent = await eventAt<Recorded<'DispatchSent'>>(room, id, 0);
  const handed = await eventAt<Recorded<'DispatchHandedOver'>>(room, id, answer.revision);
  return { ...answer, details: { delivery: detailsOf(sent, handed) } };
}

const detailsOf = (
  { stream, data: sent, metadata, recordedAt }: Recorded<'DispatchSent'>,
  { data: { deliveryId, number, visibleAt } }: Recorded<'DispatchHandedOver'>,
) => ({
  ...{ id: stream.slice('dispatch-'.length), deliveryId, number, visibleAt },
  ...{ from: sent.from, guarantee: sent.guarantee, expiresAt: sent.expiresAt },
  message: {
    event_id: stream.slice('dispatch-'.length),
    event_type: sent.type,
    version: sent.version,
    source_service: sent.sourceService,
    target_services: sent.deliveries.map(({ target }) => target),
    timestamp: recordedAt.toISOString(),
    correlation_id: metadata.correlationId,
    payload: JSON.parse(sent.payload) as unknown,
  },
});

async function eventAt<Event>({ log }: Room, id: string, revision: number): Promise<Event> {
  const stream = streamName('dispatch', id);
  for await (const event of log.readStream(stream, { from: revision, limit: 1 })) return upcast(event) as Event;
  throw new LogBehind(stream, revision, 'none');
}

/** Notes that whoever has it has it, once; a repeat answers the same. @throws CommandRefused */
async function acknowledge(
  room: Room,
  id: string,
  data: CommandData<'dispatch.acknowledge'>,
  context: StepContext,
): Promise<CommandAnswer> {
  await demandWithin(room, id, context);
  const answer = await room.aggregates.dispatch.handle(id, { type: 'dispatch.acknowledge', data }, context);
  // Others may have gone on in the same stream: the answer tells of the acknowledgement, not of where the stream is now.
  const proof = await proofOf(room, id, data.deliveryId);
  const { revision } = proof;
  return {
    ...answer,
    revision,
    token: `${answer.stream}@${revision}`,
    details: { deliveryId: data.deliveryId, proof },
  };
}

async function proofOf({ log }: Room, id: string, deliveryId: string) {
  const stream = streamName('dispatch', id);
  for await (const recorded of log.readStream(stream, { direction: 'backward' })) {
    if (recorded.type !== 'DispatchAcknowledged') continue;
    const event = upcast(recorded) as unknown as Recorded<'DispatchAcknowledged'>;
    if (event.data.deliveryId !== deliveryId) continue;
    const { revision, position, id: eventId, recordedAt } = event;
    const { by, digest } = event.data;
    return { stream, revision, position: String(position), eventId, by, digest, at: recordedAt.toISOString() };
  }
  throw new LogBehind(stream, 0, 'none');
}

/** Gives it back, or for good. @throws CommandRefused */
async function reject(
  room: Room,
  id: string,
  data: CommandData<'dispatch.reject'>,
  context: StepContext,
): Promise<CommandAnswer> {
  await demandWithin(room, id, context);
  return room.aggregates.dispatch.handle(id, { type: 'dispatch.reject', data }, context);
}

type Carried<Data> = (id: string, data: Data, context: StepContext) => Promise<CommandAnswer>;
type Processes = {
  readonly [Type in `dispatch.${'send' | 'hand' | 'acknowledge' | 'reject' | 'settle'}`]: Carried<CommandData<Type>>;
};

/** The commands about dispatches. */
export const dispatchProcesses = (room: Room): Processes => ({
  'dispatch.send': (id, data, context) => sendDispatch(room, id, data, context),
  'dispatch.hand': (id, data, context) => handOver(room, id, data, context),
  'dispatch.acknowledge': (id, data, context) => acknowledge(room, id, data, context),
  'dispatch.reject': (id, data, context) => reject(room, id, data, context),
  'dispatch.settle': (id, _, context) =>
    room.aggregates.dispatch.handle(id, { type: 'dispatch.settle', data: { now: room.now() } }, context),
});
