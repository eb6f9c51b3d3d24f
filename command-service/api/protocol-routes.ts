import type { Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { dispatchCommands, visibilitySeconds } from '@workledger/shared/contexts/agent/dispatch/commands.ts';
import { guarantee } from '@workledger/shared/contexts/agent/dispatch/events.ts';
import { time } from '@workledger/shared/contexts/define-row.ts';
import { route, type Route, type RouteInput } from '@workledger/shared/http/route.ts';
import type { WaitingDelivery, WaitingFor } from '@workledger/shared/read-models/dispatches.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { WakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { z } from 'zod';
import { commandHeaders, created, intention, receipt, receiptReply } from './command-route.ts';
import { rolesOf } from './may-send.ts';
import { knownCaller, sendCommand } from './send-command.ts';

const PROTOCOL = '/api/v1/collaborative/protocol';
const RECEIVE = `${PROTOCOL}/receive`;
const SEND = 'dispatch.send';
const PAYLOAD_BYTES = 512 * 1024;
const MOST_AT_ONCE = 20;
const MOST_SECONDS = 20;
/** Requests that wait at the same time in this process: one more is answered at once. */
const MOST_WAITING = 100;
/** Hints that are looked at beyond what is wanted: others may have been first. */
const SPARE = 50;
const LOOK_MS = 1_000;
/** Where nobody says that there is something new. */
const BLIND_LOOK_MS = 300;
const SHORTEST_LOOK_MS = 200;

type ProtocolOptions = {
  readonly commands: Commands;
  readonly waiting: (asking: WaitingFor) => Promise<readonly WaitingDelivery[]>;
  readonly wakeUps: WakeUps | undefined;
};

const sent = dispatchCommands[SEND].data.shape;
const request = z.strictObject({
  type: sent.type,
  payload: sent.payload,
  version: sent.version,
  source_service: sent.sourceService,
  target_services: sent.targets.describe(
    'whom it is for: agent:<uuid>, user:<uuid>, key:<uuid>, or team:<name>: whoever of the team asks first',
  ),
  guarantee: sent.guarantee,
  correlation_id: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,128}$/)
    .nullable()
    .default(null)
    .describe('of the conversation; null: that of the request'),
  expires_at: sent.expiresAt.describe('it is not handed out later; null: in 6 days, which is the latest'),
  repository: sent.repository.describe('keys that are limited to others do not get it'),
});

const systemEvent = z.object({
  event_id: z.uuid(),
  event_type: z.string(),
  version: z.int(),
  source_service: z.string().nullable(),
  target_services: z.array(z.string()),
  timestamp: time,
  correlation_id: z.string(),
  payload: z.unknown(),
});
const handed = z.object({
  id: z.uuid().describe('of what was sent'),
  deliveryId: z
    .uuid()
    .describe('the same however often it is handed over: use it as Idempotency-Key of what you do about it'),
  number: z.int().describe('how often it has been handed over now'),
  visibleAt: time.nullable().describe('from when on it is handed out again unless it is acknowledged; null: never'),
  from: z.string(),
  guarantee,
  expiresAt: time,
  message: systemEvent,
});
type Handed = z.infer<typeof handed>;

/** Messages under a guarantee: sent, received, acknowledged. */
export const protocolRoutes = (options: ProtocolOptions): Route[] => [
  sending(options),
  receiving(options),
  intention(options.commands, {
    method: 'post',
    path: `${PROTOCOL}/{id}/acknowledge`,
    type: 'dispatch.acknowledge',
    summary: 'Acknowledge what was handed to you',
    description: 'Once; a repeat is answered the same. The answer tells where in the log it stands (`proof`).',
    problems: ['out-of-range'],
  }),
  intention(options.commands, {
    method: 'post',
    path: `${PROTOCOL}/{id}/reject`,
    type: 'dispatch.reject',
    summary: 'Reject what was handed to you, or give it back',
    problems: ['out-of-range'],
  }),
];

const sending = ({ commands }: ProtocolOptions): Route =>
  route({
    method: 'post',
    path: PROTOCOL,
    role: rolesOf(SEND),
    scoped: true,
    summary: 'Send a message under a guarantee',
    description:
      'At most once: handed out once, whatever becomes of it. At least once: again and again until it is acknowledged. Effectively once: as at least once, to nobody but whoever had it first, ' +
      'under an id that what they do about it has as its Idempotency-Key.',
    headers: commandHeaders.pick({ 'idempotency-key': true }),
    body: request,
    maxBodyBytes: PAYLOAD_BYTES,
    answers: {
      202: {
        ...created,
        description:
          'Sent. Location tells what becomes of it. A repeat under the same Idempotency-Key answers the same.',
        schema: receipt.extend({ deliveries: z.array(z.object({ deliveryId: z.uuid(), target: z.string() })) }),
      },
    },
    problems: [
      'unknown-reference',
      'unknown-repository',
      'invalid-content',
      'out-of-range',
      'too-large',
      'idempotency-key-reused',
      'unavailable',
    ],
    handler: async (input) => {
      const { source_service: sourceService, target_services: targets, expires_at: expiresAt, ...rest } = input.body;
      const { correlation_id: given, ...data } = rest;
      const idempotencyKey = input.headers['idempotency-key'];
      const caller = { ...input, correlationId: given ?? input.correlationId };
      const answer = await sendCommand(commands, caller, {
        ...{ type: SEND, route: `POST ${PROTOCOL}`, target: undefined },
        ...{ data: { ...data, sourceService, targets, expiresAt }, idempotencyKey, expectedRevision: undefined },
      });
      return { ...receiptReply(answer, idempotencyKey, `${PROTOCOL}/${answer.id}`), status: 202 };
    },
  });

function receiving(options: ProtocolOptions): Route {
  let waiting = 0;
  return route({
    method: 'post',
    path: RECEIVE,
    role: rolesOf('dispatch.hand'),
    scoped: true,
    summary: 'Receive what was sent to you, or to a team of yours',
    description:
      'The oldest first. What is answered was handed over, also where the answer is lost: at most once, it is not answered again. Waits where there is nothing; with too many who wait, it does not.',
    body: z.strictObject({
      max: z.int().min(1).max(MOST_AT_ONCE).default(1),
      waitSeconds: z.int().min(0).max(MOST_SECONDS).default(0),
      visibilitySeconds: visibilitySeconds.default(30).describe('so long nobody else is handed the same'),
    }),
    answers: { 200: { description: 'What is handed over now.', schema: z.object({ items: z.array(handed) }) } },
    problems: ['unavailable'],
    handler: async (input) => {
      const patience = waiting < MOST_WAITING ? input.body.waitSeconds * 1_000 : 0;
      waiting += 1;
      try {
        const items = await receive(options, input, patience);
        return { json: { items }, headers: { 'Cache-Control': 'no-store' } };
      } finally {
        waiting -= 1;
      }
    },
  });
}

type Asked = { readonly max: number; readonly visibilitySeconds: number };
type Input = RouteInput<unknown, unknown, Asked, unknown>;

/** @param patience milliseconds to wait for the first */
async function receive(options: ProtocolOptions, input: Input, patience: number): Promise<readonly Handed[]> {
  const { wakeUps } = options;
  const until = performance.now() + patience;
  for (;;) {
    const seen = wakeUps?.count();
    const items = await take(options, input);
    const left = until - performance.now();
    if (items.length > 0 || left <= 0 || input.signal.aborted) return items;
    await pause(Math.min(left, SHORTEST_LOOK_MS), input.signal);
    const rest = Math.max(0, until - performance.now());
    if (wakeUps === undefined) await pause(Math.min(rest, BLIND_LOOK_MS), input.signal);
    else await wakeUps.next(Math.min(rest, LOOK_MS), input.signal, seen);
  }
}

async function take({ commands, waiting }: ProtocolOptions, input: Input): Promise<readonly Handed[]> {
  const { actor, teams, repositories } = knownCaller(input);
  const { max, visibilitySeconds } = input.body;
  const items: Handed[] = [];
  for (const hint of await waiting({ actor, teams, repositories, limit: max + SPARE })) {
    // Nobody is there any more who could take it.
    if (items.length === max || input.signal.aborted) break;
    const { deliveryId, dispatchId, correlationId } = hint;
    try {
      const { details } = await sendCommand(
        commands,
        { ...input, correlationId },
        {
          ...{ type: 'dispatch.hand', route: `POST ${RECEIVE}`, target: dispatchId },
          ...{ data: { deliveryId, visibilitySeconds }, idempotencyKey: undefined, expectedRevision: undefined },
        },
      );
      items.push(details['delivery'] as Handed);
    } catch (error) {
      if (error instanceof CommandRefused) continue;
      // What was handed over already is told.
      if (items.length === 0) throw error;
      break;
    }
  }
  return items;
}
