import { recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { inboxId } from '@workledger/shared/contexts/agent/inbox/events.ts';
import { messageTypeId } from '@workledger/shared/contexts/agent/message-type/events.ts';
import type { MessageState } from '@workledger/shared/contexts/agent/message/state.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { checkContent, checkSchema } from './content.ts';
import { demandParticipant } from './participants.ts';
import { isKnownRepository } from './references.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

/** Registers a message type, or its next version: its schema is compiled here, once, so that no message meets a bad one. @throws CommandRefused */
export function registerMessageType(
  { aggregates }: Room,
  id: string,
  data: CommandData<'message-type.register'>,
  context: StepContext,
): Promise<CommandAnswer> {
  if (id !== messageTypeId(data.name)) refuse('invalid-command', 'the id of a message type is made of its name');
  checkSchema(data.schema);
  return aggregates['message-type'].handle(id, { type: 'message-type.register', data }, context);
}

/** Sends a message: what it names must be there, and its content fit its type. @throws CommandRefused */
export async function sendMessage(
  room: Room,
  id: string,
  { to, messageType, subject, body, content, repository, taskId, replyTo }: CommandData<'message.send'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { message: messages } = room.aggregates;
  const { commands } = await messages.load(id);
  const from = context.actor;
  if (to.kind === 'all' && from.startsWith('agent:'))
    refuse('forbidden', 'an agent speaks to one or to a topic: to all speak operators and administrators');
  // A repeat answers as before, whatever has gone since.
  const isRepeat = recall(commands, context.commandId, context.commandHash) !== undefined;
  if (!isRepeat && to.kind === 'participant') await demandParticipant(room, to.participant, 'to.participant');
  const judged = await judge(room, messageType, content, isRepeat);
  const place = await placeOf(room, { repository, taskId }, context);
  if (!isRepeat && replyTo !== null) await demandMessage(room, replyTo, context);
  const data = { from, to, messageType, ...judged, subject, body, ...place, taskId, replyTo };
  return messages.handle(id, { type: 'message.send', data }, context);
}

async function judge({ aggregates }: Room, name: string | null, content: unknown, isRepeat: boolean) {
  if (name === null) {
    if (content !== undefined && content !== null)
      refuse('invalid-content', 'content needs a messageType that says what it holds', {
        errors: [{ path: 'messageType', message: 'missing' }],
      });
    return { typeNumber: null, content: null };
  }
  const id = messageTypeId(name);
  const { state } = await aggregates['message-type'].load(id);
  if (state === null)
    return refuse('unknown-reference', `messageType: there is no type ${name}: register it first`, {
      errors: [{ path: 'messageType', message: 'no such type' }],
    });
  const { number, schema } = state;
  const text = JSON.stringify(content ?? null);
  if (!isRepeat) checkContent({ key: `${id}@${number}`, schema }, content ?? null, text);
  return { typeNumber: number, content: text };
}

/** The repository that a message belongs to: that of its task where it has one. */
export async function placeOf(
  room: Room,
  { repository, taskId }: { readonly repository: string | null; readonly taskId: string | null },
  { repositories }: StepContext,
): Promise<{ repository: string | null }> {
  if (!isKnownRepository(room, repository))
    refuse('unknown-repository', `repository "${repository}" is not registered: add it to the configuration`, {
      repository,
    });
  const task = taskId === null ? null : (await room.tasks.load(taskId)).state;
  const belongs = task === null ? repository : task.repository;
  const isBeyond = repositories !== undefined && (belongs === null || !repositories.includes(belongs));
  if (task !== null && (task.status === 'missing' || isBeyond))
    refuse('unknown-reference', `taskId: there is no task ${taskId}`, {
      errors: [{ path: 'taskId', message: 'no such task' }],
    });
  if (isBeyond)
    refuse('unknown-repository', 'the repository is none of those that the key is limited to', { repository });
  if (repository !== null && repository !== belongs)
    refuse('unknown-reference', `task ${taskId} belongs to another repository`, {
      errors: [{ path: 'repository', message: 'not that of the task' }],
    });
  return { repository: belongs };
}

const isWithin = (state: NonNullable<MessageState>, { repositories }: StepContext): boolean =>
  repositories === undefined || (state.repository !== null && repositories.includes(state.repository));

async function demandMessage({ aggregates }: Room, id: string, context: StepContext): Promise<void> {
  const { state } = await aggregates.message.load(id);
  if (state === null || !isWithin(state, context))
    refuse('unknown-reference', `replyTo: there is no message ${id}`, {
      errors: [{ path: 'replyTo', message: 'no such message' }],
    });
}

/**
 * Notes that a message came to whoever asks, or was read. One to one it stands with the message, else in the inbox of who
 * confirms: a message to all would grow with the number of those who read it. @throws CommandRefused
 */
export async function confirmMessage(
  { aggregates }: Room,
  id: string,
  what: 'delivered' | 'read',
  context: StepContext,
): Promise<CommandAnswer> {
  const { state } = await aggregates.message.load(id);
  if (state === null || !isWithin(state, context)) return refuse('not-found', 'there is no such message in your inbox');
  const { to } = state;
  if (to.kind === 'participant') {
    const type = what === 'read' ? 'message.read' : 'message.deliver';
    return aggregates.message.handle(id, { type, data: {} }, context);
  }
  const data = { messageId: id, topic: to.kind === 'topic' ? to.topic : null, read: what === 'read' };
  return aggregates.inbox.handle(inboxId(context.actor), { type: 'inbox.confirm', data }, context);
}

/** Marks all as read that was sent up to a message, or up to now. @throws CommandRefused */
export async function readAll(
  { aggregates, log }: Room,
  id: string,
  through: string | null,
  context: StepContext,
): Promise<CommandAnswer> {
  const { repositories } = context;
  let until = through === null ? await log.head() : null;
  if (through !== null)
    for await (const { position } of log.readStream(streamName('message', through), { limit: 1 })) until = position;
  if (until === null) return refuse('unknown-reference', `through: there is no message ${through}`);
  const data = { until: String(until), repositories: repositories === undefined ? null : [...repositories] };
  return aggregates.inbox.handle(id, { type: 'inbox.read-all', data }, context);
}
