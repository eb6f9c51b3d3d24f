import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import type { AnswerDescription, Reply } from '@workledger/shared/http/route.ts';
import { z } from 'zod';

/** What a client gets for a command: the id, the revision after it, and what the command tells beside. */
export const receipt = z.looseObject({
  id: z.uuid(),
  revision: z.int().min(-1).describe('-1: there is no stream, and nothing was to be done'),
});

const headers = {
  'Consistency-Token': '<stream>@<revision>, several separated by commas: a query that carries it sees the effect.',
  ETag: 'The revision, in quotes: for If-Match.',
};

export const accepted: AnswerDescription = { description: 'Done.', schema: receipt, headers };
export const created: AnswerDescription = {
  description: 'Created. A repeat under the same Idempotency-Key answers the same.',
  schema: receipt,
  headers: { ...headers, Location: 'Where the queries know it.' },
};

/** The reply to a command. @param location path of what was created; undefined: nothing was */
export const receiptReply = (answer: CommandAnswer, location?: string): Reply => ({
  status: location === undefined ? 200 : 201,
  headers: {
    'Cache-Control': 'no-store',
    ...(answer.token === '' ? {} : { 'Consistency-Token': answer.token }),
    ...(answer.revision < 0 ? {} : { ETag: `"${answer.revision}"` }),
    ...(location === undefined ? {} : { Location: location }),
  },
  json: { ...answer.details, id: answer.id, revision: answer.revision },
});
