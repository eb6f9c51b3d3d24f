import { listParked, parkedItem, parkedPlace, type ParkedPlace } from '@workledger/shared/read-models/parked.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { Settle } from '../reading/consistency.ts';
import { cursorParameter, decoded, encoded, invalidCursor, pageOf } from '../reading/page.ts';
import { atMost, many, OPERATORS, queryRoute, type QueryOptions } from '../reading/query-route.ts';

/** GET /parked */
export const listAllParked = ({ pool }: Pick<QueryOptions, 'pool'>, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/parked',
    role: OPERATORS,
    summary: 'List what stands still',
    description:
      'Streams that a read model cannot go on with, sagas that cannot take an input, effects that cannot be carried out. ' +
      '`POST /api/v1/parked/redrive` tries one again.',
    answer: 'A page of what is parked, and why.',
    schema: pageOf(parkedItem),
    models: [],
    query: { cursor: cursorParameter, limit: atMost(100, 50) },
    handler: async ({ query: { cursor, limit } }) => {
      const found = await listParked(pool, cursor === undefined ? null : readPlace(cursor), limit + 1);
      const items = found.slice(0, limit);
      return many({ items, next: found.length > limit ? writePlace(items.at(-1)!) : null });
    },
  });

const writePlace = ({ kind, name, stream, key }: Readonly<Record<keyof ParkedPlace, string>>): string =>
  encoded({ kind, name, stream, key });

function readPlace(cursor: string): ParkedPlace {
  const parsed = parkedPlace.safeParse(decoded(cursor));
  if (!parsed.success) throw invalidCursor('use a cursor as a page gave it');
  return parsed.data;
}
