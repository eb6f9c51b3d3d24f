import { z } from 'zod';
import {
  questionModel,
  questionRow,
  questionStates,
  type QuestionRow,
} from '@workledger/shared/contexts/task/question/row.ts';
import type { Principal, Route } from '@workledger/shared/http/route.ts';
import { createWaitingRoom, type Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  type QueryOptions,
  anyId,
  byId,
  several,
  short,
  yesOrNo,
  many,
  one,
  queryRoute,
  READERS,
} from '../reading/query-route.ts';
import { onlyRepositoriesWithin, readWithin, scopeOf } from '../reading/scope.ts';
import { createPatience } from '../waiting/patience.ts';

const list: ListDefinition<QuestionRow> = {
  model: questionModel,
  sorts: { asked: { column: 'askedAt', type: 'timestamptz' } },
};

const LONGEST_WAIT = 60;
const secondsToWait = z
  .string()
  .meta({ type: 'integer', minimum: 0, maximum: LONGEST_WAIT })
  .regex(/^\d{1,6}$/, 'a whole number')
  .transform(Number)
  .pipe(z.int().max(LONGEST_WAIT))
  .optional()
  .describe(`seconds, ${LONGEST_WAIT} at most; left out: it is answered at once`);

/** GET /questions and GET /questions/{id} */
export const questionQueries = (options: QueryOptions, settle: Settle): readonly Route[] => {
  const { pool } = options;
  const patience = createPatience(options.wakeUps, createWaitingRoom({ inAll: 500, ofOne: 50 }));
  return [
    queryRoute(settle, {
      path: '/questions',
      role: READERS,
      scoped: true,
      summary: 'List questions',
      description: 'With `mine=true` those that whoever asks may answer: as a participant, by role, or by team.',
      answer: 'A page of questions.',
      schema: pageOf(questionRow),
      models: [questionModel],
      query: {
        state: several(z.enum(questionStates)).optional(),
        mine: yesOrNo.optional(),
        askedBy: short.optional(),
        taskId: several(anyId).optional(),
        repository: several(short).optional(),
        approval: yesOrNo.optional().describe('true: only approvals of merges; false: none of these'),
        ...pageParameters(list.sorts, '-asked'),
      },
      handler: async ({ query: wanted, principal }) => {
        const scope = scopeOf({ principal });
        return many(
          await readPage(pool, list, wanted, (query) => {
            onlyRepositoriesWithin(query, scope);
            if (wanted.state) query.whereIn('t.state', wanted.state);
            if (wanted.askedBy) query.where('t.asked_by', wanted.askedBy);
            if (wanted.taskId) query.whereIn('t.task_id', wanted.taskId);
            if (wanted.repository) query.whereIn('t.repository', wanted.repository);
            if (wanted.approval !== undefined) query.whereRaw('(t.approval_of is not null) = ?', [wanted.approval]);
            if (wanted.mine !== undefined) query.whereRaw(`(${FOR_ME}) = ?`, [...forMe(principal), wanted.mine]);
          }),
        );
      },
    }),
    queryRoute(settle, {
      path: '/questions/{id}',
      role: READERS,
      scoped: true,
      summary: 'A question, with its answer',
      description:
        'With `wait` the answer comes as soon as the question is not open any more, or after so many seconds.',
      answer: 'The question.',
      schema: questionRow,
      params: byId,
      query: { wait: secondsToWait },
      problems: ['not-found', 'unavailable'],
      models: [questionModel],
      handler: async ({ params, query, principal, signal }) => {
        const scope = scopeOf({ principal });
        const read = (): Promise<QuestionRow> =>
          readWithin(pool, scope, questionModel, { noun: 'question', id: params.id });
        const waiter = { seconds: query.wait ?? 0, waiter: principal?.keyId ?? '', signal };
        return one(await patience(read, ({ state }) => state !== 'open', waiter));
      },
    }),
  ];
};

const FOR_ME = `(t.askee_kind = 'participant' and t.askee = ?)
  or (t.askee_kind = 'role' and t.askee = ?) or coalesce(t.escalated_to = ?, false)
  or (t.askee_kind = 'team' and t.askee = any (?::text[]))`;

const forMe = (principal: Principal | null) => [
  principal?.actor ?? '',
  principal?.role ?? '',
  principal?.role ?? '',
  [...(principal?.teams ?? [])],
];
