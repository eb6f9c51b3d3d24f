import { agentEvents } from '../contexts/agent/agent/events.ts';
import type { Context, EventDefinition, StreamTypeDefinition } from '../contexts/define-events.ts';
import { deliveryEvents } from '../contexts/sync/delivery/events.ts';
import { commentEvents } from '../contexts/task/comment/events.ts';
import { dependenciesEvents } from '../contexts/task/dependencies/events.ts';
import { evolutionEvents } from '../contexts/evolution/evolution/events.ts';
import { generationEvents } from '../contexts/evolution/generation/events.ts';
import { issueEvents } from '../contexts/task/issue/events.ts';
import { inboxEvents } from '../contexts/agent/inbox/events.ts';
import { messageTypeEvents } from '../contexts/agent/message-type/events.ts';
import { messageEvents } from '../contexts/agent/message/events.ts';
import { keyEvents } from '../contexts/agent/key/events.ts';
import { knowledgeEvents } from '../contexts/agent/knowledge/events.ts';
import { mergeQueueEvents } from '../contexts/evolution/merge-queue/events.ts';
import { sagaStreamTypes } from '../contexts/saga/events.ts';
import { streamType } from '../contexts/stream.ts';
import { taskEvents } from '../contexts/task/task/events.ts';
import { questionEvents } from '../contexts/task/question/events.ts';
import { userEvents } from '../contexts/agent/user/events.ts';
import { validationEvents } from '../contexts/evolution/validation/events.ts';
import { webhookEvents } from '../contexts/sync/webhook/events.ts';
import { routingEvents } from '../contexts/evolution/routing/events.ts';
import { workflowRunEvents } from '../contexts/task/workflow-run/events.ts';
import { workflowEvents } from '../contexts/task/workflow/events.ts';
import { documentEvents } from '../contexts/sync/document/events.ts';
import { dispatchEvents } from '../contexts/agent/dispatch/events.ts';
import { configurationEvents } from '../contexts/sync/configuration/events.ts';

/** Every stream type there is. A new one is added here, and nowhere else. */
export const streamTypes: readonly StreamTypeDefinition[] = [
  taskEvents,
  issueEvents,
  commentEvents,
  dependenciesEvents,
  agentEvents,
  keyEvents,
  userEvents,
  knowledgeEvents,
  messageTypeEvents,
  messageEvents,
  inboxEvents,
  generationEvents,
  evolutionEvents,
  validationEvents,
  mergeQueueEvents,
  deliveryEvents,
  questionEvents,
  webhookEvents,
  routingEvents,
  workflowEvents,
  workflowRunEvents,
  documentEvents,
  dispatchEvents,
  configurationEvents,
  ...sagaStreamTypes,
];

const byType = new Map(streamTypes.map((definition) => [definition.type, definition]));

export const contexts: readonly Context[] = ['task', 'evolution', 'agent', 'sync', 'saga'];

/** The context of a stream; null when its type is not in the catalogue. */
export const contextOf = (stream: string): Context | null => byType.get(streamType(stream))?.context ?? null;

/** The stream types of a context. */
export const streamTypesOf = (context: Context): readonly string[] =>
  streamTypes.filter((definition) => definition.context === context).map((definition) => definition.type);

/** The definition of an event of a stream; null when the catalogue has no such event. */
export const findDefinition = (stream: string, type: string): EventDefinition | null =>
  byType.get(streamType(stream))?.events[type] ?? null;

/** The definition of an event that is to be written. @throws UnknownEvent when the catalogue has no such event. */
export function definitionOf(stream: string, type: string): EventDefinition {
  const definition = findDefinition(stream, type);
  if (definition === null) throw new UnknownEvent(stream, type);
  return definition;
}

class UnknownEvent extends Error {
  override name = 'UnknownEvent';
  constructor(stream: string, type: string) {
    super(`event "${type}" of stream "${stream}" is not in the catalogue`);
  }
}
