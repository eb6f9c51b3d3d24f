import type { CommandType } from '@workledger/shared/commands/catalogue.ts';
import { commands as catalogue } from '@workledger/shared/commands/catalogue.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import { inboxId } from '@workledger/shared/contexts/agent/inbox/events.ts';
import { messageTypeId } from '@workledger/shared/contexts/agent/message-type/events.ts';
import { topic } from '@workledger/shared/contexts/agent/message/commands.ts';
import { route, type Method, type Route } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import { accepted, commandHeaders, created, creation, intention, receiptReply } from './command-route.ts';
import { rolesOf } from './may-send.ts';
import { knownCaller, sendCommand } from './send-command.ts';

const TYPES = '/api/v1/message-types';
const MESSAGES = '/api/v1/messages';
const INBOX = '/api/v1/inbox';
const MESSAGE_BYTES = 512 * 1024;
const headers = commandHeaders.pick({ 'idempotency-key': true });

/** What agents and people say to one another. */
export const messageRoutes = (commands: Commands): Route[] => [
  registration(commands),
  creation(commands, {
    method: 'post',
    path: MESSAGES,
    type: 'message.send',
    summary: 'Send a message to one, to a topic, or to all',
    description: 'To all speak operators and administrators only.',
    maxBodyBytes: MESSAGE_BYTES,
    problems: ['unknown-reference', 'unknown-repository', 'invalid-content', 'forbidden', 'too-large'],
  }),
  intention(commands, {
    method: 'post',
    path: `${INBOX}/{id}/delivered`,
    type: 'message.deliver',
    summary: 'Confirm that a message has come',
  }),
  intention(commands, {
    method: 'post',
    path: `${INBOX}/{id}/read`,
    type: 'message.read',
    summary: 'Confirm that a message was read',
  }),
  ofInbox(commands, {
    method: 'post',
    path: `${INBOX}/read-all`,
    type: 'inbox.read-all',
    summary: 'Mark all as read, up to a message or up to now',
    body: catalogue['inbox.read-all'].data,
  }),
  ofInbox(commands, {
    method: 'post',
    path: `${INBOX}/topics/{topic}`,
    type: 'inbox.subscribe',
    summary: 'Subscribe to a topic: what is sent to it from now on comes to your inbox',
  }),
  ofInbox(commands, {
    method: 'delete',
    path: `${INBOX}/topics/{topic}`,
    type: 'inbox.unsubscribe',
    summary: 'Unsubscribe from a topic',
  }),
];

const registration = (commands: Commands): Route =>
  route({
    method: 'post',
    path: TYPES,
    role: rolesOf('message-type.register'),
    summary: 'Register a message type, or its next version',
    description: 'The same again changes nothing. Messages are judged by the newest version.',
    headers,
    body: catalogue['message-type.register'].data,
    answers: { 201: created },
    problems: ['out-of-range', 'idempotency-key-reused', 'unavailable'],
    handler: async (input) => {
      const idempotencyKey = input.headers['idempotency-key'];
      const answer = await sendCommand(commands, input, {
        ...{ type: 'message-type.register', route: `POST ${TYPES}`, target: messageTypeId(input.body.name) },
        ...{ data: input.body, idempotencyKey, expectedRevision: undefined },
      });
      return receiptReply(answer, idempotencyKey, `${TYPES}/${answer.id}`);
    },
  });

type OfInbox = {
  readonly method: Method;
  readonly path: string;
  readonly type: CommandType & `inbox.${string}`;
  readonly summary: string;
  /** Default: the topic in the path. */
  readonly body?: z.ZodType;
};

/** A command to the inbox of whoever asks. */
const ofInbox = (commands: Commands, { body, type, ...definition }: OfInbox): Route =>
  route({
    ...definition,
    role: rolesOf(type),
    scoped: true,
    headers,
    ...(body === undefined ? { params: z.strictObject({ topic }) } : { body }),
    answers: { 200: accepted },
    problems: ['unknown-reference', 'out-of-range', 'idempotency-key-reused', 'unavailable'],
    handler: async (input) => {
      const idempotencyKey = input.headers['idempotency-key'];
      const answer = await sendCommand(commands, input, {
        ...{ type, route: `${definition.method.toUpperCase()} ${definition.path}` },
        ...{ target: inboxId(knownCaller(input).actor), data: body === undefined ? input.params : input.body },
        ...{ idempotencyKey, expectedRevision: undefined },
      });
      return receiptReply(answer, idempotencyKey);
    },
  });
