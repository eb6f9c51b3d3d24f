import type { Commands } from '@workledger/shared/commands/port.ts';
import { taskCommands } from '@workledger/shared/contexts/task/task/commands.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import { joinTokens } from '../processes/step.ts';
import { accepted, commandHeaders, expectedRevision, pathId, receiptReply } from './command-route.ts';
import { rolesOf } from './may-send.ts';
import { sendCommand } from './send-command.ts';

const PATH = '/api/v1/tasks/{id}';
const { shape: details } = taskCommands['task.change'].data;
const { status, ...beside } = taskCommands['task.set-status'].data.shape;

/** `PUT /tasks/{id}`: its details, and the status where one is named, which leads to the intention that has that effect. */
export const taskPutRoute = (commands: Commands, maxBodyBytes: number): Route =>
  route({
    method: 'put',
    path: PATH,
    role: rolesOf('task.change'),
    scoped: true,
    summary: 'Change details of a task, or its status',
    description:
      'Fields that are left out stay as they are: what a task has become is not replaced as a whole. A `status` is an intention: `pending` retries, ' +
      '`in-progress` claims for the agent that is named, `validation` and `complete` (or `completed`) submit, `cancelled` cancels; ' +
      'what it is already is nothing to do. The answer tells the status that it led to. The status goes first: where it is refused, nothing changes.',
    params: z.strictObject({ id: pathId }),
    headers: commandHeaders,
    body: z.strictObject({ ...details, status: status.optional(), ...beside }),
    maxBodyBytes,
    answers: { 200: accepted },
    problems: [
      'illegal-transition',
      'idempotency-key-reused',
      'revision-mismatch',
      'unavailable',
      'not-found',
      'no-capacity',
      'missing-capability',
      'blocked',
      'unknown-reference',
      'claim-mismatch',
      'out-of-range',
    ],
    handler: async (input) => {
      const { status: wanted, agentId, claimId, commit, summary, reason, ...changed } = input.body;
      const idempotencyKey = input.headers['idempotency-key'];
      const revision = expectedRevision(input.headers['if-match']);
      const send = (type: 'task.change' | 'task.set-status', data: object, expected: number | undefined) =>
        sendCommand(commands, input, {
          // Each of the two has an id of its own under the same key.
          ...{ type, route: type === 'task.change' ? `PUT ${PATH}` : `PUT ${PATH} status`, target: input.params.id },
          ...{ data, idempotencyKey, expectedRevision: expected },
        });
      const led =
        wanted === undefined
          ? null
          : await send('task.set-status', { status: wanted, agentId, claimId, commit, summary, reason }, revision);
      const isMore = Object.values(changed).some((value) => value !== undefined);
      if (led !== null && !isMore) return receiptReply(led, idempotencyKey);
      const answer = await send('task.change', changed, led === null ? revision : undefined);
      if (led === null) return receiptReply(answer, idempotencyKey);
      return receiptReply({ ...answer, token: joinTokens(led, answer), details: led.details }, idempotencyKey);
    },
  });
