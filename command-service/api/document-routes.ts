import type { Commands } from '@workledger/shared/commands/port.ts';
import { documentCommands } from '@workledger/shared/contexts/sync/document/commands.ts';
import { documentConflict, OUTCOMES } from '@workledger/shared/contexts/sync/document/events.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import {
  accepted,
  commandHeaders,
  creation,
  expectedRevision,
  intention,
  intentionFromPath,
  pathId,
  receipt,
  receiptReply,
} from './command-route.ts';
import { rolesOf } from './may-send.ts';
import { sendCommand } from './send-command.ts';

const DOCUMENTS = '/api/v1/documents';
const DOCUMENT = `${DOCUMENTS}/{id}`;
/** A document, and a proposal that replaces it, as JSON that escapes what it can. */
const LARGE = 1024 * 1024;

const told = receipt.extend({
  version: z.int().min(0).describe('of the document after it'),
  digest: z.string().describe('of the document at that version'),
});
const settled = told.extend({
  outcome: z
    .enum([...OUTCOMES, 'unchanged'])
    .describe('applied: all of it; partly; rejected: nothing of it; unchanged: the document was so already'),
  patch: z.array(z.looseObject({ op: z.string(), path: z.string() })).describe('what changed, as a JSON Patch'),
  conflicts: z.array(documentConflict).describe('what was changed on both sides, and what became of it'),
});
const resolution = documentCommands['document.resolve'].data;
const BOUNDS = ['out-of-range', 'too-large', 'forbidden'] as const;

/** Documents that several systems keep in step. */
export const documentRoutes = (commands: Commands): Route[] => [
  creation(commands, {
    ...{ method: 'post', path: DOCUMENTS, type: 'document.create', maxBodyBytes: LARGE },
    summary: 'Share a document',
    problems: ['out-of-range', 'unknown-repository'],
  }),
  route({
    method: 'patch',
    path: DOCUMENT,
    scoped: true,
    role: rolesOf('document.propose'),
    summary: 'Propose a change of a document',
    description:
      'Made on the version `base`: fields that nobody else changed since are taken, for the others the strategy of the document decides. With If-Match it is taken at ' +
      'that version only. The same over the WebSocket: /api/v1/collaborative/sync.',
    headers: commandHeaders,
    params: z.strictObject({ id: pathId }),
    body: documentCommands['document.propose'].data,
    maxBodyBytes: LARGE,
    answers: { 200: { ...accepted, description: 'What became of it.', schema: settled } },
    problems: [
      ...BOUNDS,
      ...(['not-found', 'illegal-transition', 'base-too-old', 'revision-mismatch', 'idempotency-key-reused'] as const),
      'unavailable',
    ],
    handler: async (input) => {
      const key = input.headers['idempotency-key'];
      const request = { type: 'document.propose', route: `PATCH ${DOCUMENT}`, idempotencyKey: key } as const;
      const target = { target: input.params.id, data: input.body };
      const expected = { expectedRevision: expectedRevision(input.headers['if-match']) };
      return receiptReply(await sendCommand(commands, input, { ...request, ...target, ...expected }), key);
    },
  }),
  route({
    method: 'post',
    path: `${DOCUMENT}/conflicts/{conflict}/resolve`,
    scoped: true,
    role: rolesOf('document.resolve'),
    summary: 'Settle a conflict that waits for a person',
    description: 'By what stands, by what was proposed, or by another value.',
    headers: commandHeaders,
    params: z.strictObject({ id: pathId, conflict: resolution.shape.conflict }),
    body: resolution.omit({ conflict: true }),
    maxBodyBytes: LARGE,
    answers: { 200: { ...accepted, schema: told } },
    problems: [
      ...BOUNDS,
      ...(['not-found', 'illegal-transition', 'revision-mismatch', 'idempotency-key-reused', 'unavailable'] as const),
    ],
    handler: async (input) => {
      const key = input.headers['idempotency-key'];
      const { id, conflict } = input.params;
      const name = `POST ${DOCUMENT}/conflicts/${conflict}/resolve`;
      const request = { type: 'document.resolve', route: name, idempotencyKey: key } as const;
      const target = { target: id, data: { ...input.body, conflict } };
      const expected = { expectedRevision: expectedRevision(input.headers['if-match']) };
      return receiptReply(await sendCommand(commands, input, { ...request, ...target, ...expected }), key);
    },
  }),
  intention(commands, {
    ...{ method: 'put', path: `${DOCUMENT}/rules`, type: 'document.change-rules', problems: ['out-of-range'] },
    summary: 'Change how conflicts of a document are settled',
  }),
  intentionFromPath(commands, {
    ...{ method: 'delete', path: DOCUMENT, type: 'document.delete' },
    summary: 'Delete a document',
    description: 'Whoever follows it is told. What it was stays in the log.',
    params: z.strictObject({ id: pathId }),
    data: () => ({}),
  }),
];
