import { z } from 'zod';
import {
  finding as findingSchema,
  MOST_FINDINGS,
  severities,
  type CheckResult,
} from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { validationModel } from '@workledger/shared/contexts/evolution/validation/row.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import type { Settle } from '../reading/consistency.ts';
import { cursorParameter, invalidCursor, pageOf, readCursor, writeCursor } from '../reading/page.ts';
import {
  atMost,
  byId,
  many,
  queryRoute,
  readRow,
  READERS,
  several,
  short,
  yesOrNo,
  type QueryOptions,
} from '../reading/query-route.ts';
import { demandWithin, scopeOf } from '../reading/scope.ts';

const item = findingSchema.extend({ check: z.string().describe('whose finding it is') });
type Item = z.infer<typeof item>;

const ORDER = 'place';

/** GET /validations/{id}/findings: what the named checks complained about, check by check, the worst of each first. */
export const listFindings = ({ pool, artefacts }: QueryOptions, settle: Settle): Route =>
  queryRoute(settle, {
    path: '/validations/{id}/findings',
    role: READERS,
    scoped: true,
    summary: 'List what the checks of a validation found',
    answer: 'A page of findings: check by check, the worst of each first.',
    schema: pageOf(item),
    params: byId,
    models: [validationModel],
    problems: ['not-found'],
    query: {
      check: several(short).optional().describe('of these checks'),
      severity: several(z.enum(severities)).optional(),
      isNew: yesOrNo.optional().describe('true: only what the base has not; false: only what it has'),
      cursor: cursorParameter,
      limit: atMost(100, 50),
    },
    handler: async ({ params: { id }, query: { check, severity, isNew, cursor, limit }, principal }) => {
      const row = await readRow(pool, validationModel, id, 'validation');
      await demandWithin(pool, scopeOf({ principal }), row.taskId, { noun: 'validation', id });
      const start = placeOf(cursor);
      const read = async (result: CheckResult): Promise<Item[]> => {
        const stored = result.findings === null ? null : await artefacts.get(result.findings.digest);
        if (stored === null) return [];
        const found = z.array(findingSchema).parse(JSON.parse(Buffer.from(stored.bytes).toString('utf8')));
        return found.map((one) => ({ ...one, check: result.name }));
      };
      const items: Item[] = [];
      let place = 0;
      for (const result of row.checks) {
        if (check !== undefined && !check.includes(result.name)) continue;
        if (items.length > limit) break;
        const found = await read(result);
        for (const one of found) {
          const isWanted = (severity?.includes(one.severity) ?? true) && (isNew === undefined || one.isNew === isNew);
          if (isWanted && place++ >= start && items.length <= limit) items.push(one);
        }
      }
      const more = items.length > limit;
      const next = more ? writeCursor({ order: ORDER, value: String(start + limit), id }) : null;
      return many({ items: items.slice(0, limit), next });
    },
  });

/** Of many checks with as many findings as there may be. */
const MOST_PLACES = 100 * MOST_FINDINGS;

function placeOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const place = Number(readCursor(cursor, ORDER).value);
  if (!Number.isSafeInteger(place) || place < 0 || place > MOST_PLACES)
    throw invalidCursor('use a cursor as a page gave it');
  return place;
}
