import { z } from 'zod';
import type { Route } from '@workledger/shared/http/route.ts';
import { commentModel } from '@workledger/shared/contexts/task/comment/row.ts';
import { priorityName, statusName } from '@workledger/shared/contexts/task/issue/commands.ts';
import { issueAssignments, issueModel, issueRow, type IssueRow } from '@workledger/shared/contexts/task/issue/row.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  anyId,
  byId,
  many,
  one,
  queryRoute,
  READERS,
  several,
  short,
  type QueryOptions,
} from '../reading/query-route.ts';
import { readWithin, scopeOf } from '../reading/scope.ts';

const comments = z.int().min(0).describe('how many there are: `GET /comments?issueId=…`');
const issueAnswer = issueRow.extend({ comments });
const listedIssue = issueAnswer.omit({ description: true, resolution: true });

const list: ListDefinition<IssueRow, { readonly comments: number }> = {
  model: issueModel,
  without: ['description', 'resolution'],
  computed: { comments: '(select count(*)::integer from read_models.comments said where said.issue_id = t.id)' },
  sorts: {
    created: { column: 'createdAt', type: 'timestamptz' },
    updated: { column: 'updatedAt', type: 'timestamptz' },
    priority: { column: 'urgency', type: 'integer' },
  },
};

/** GET /issues and GET /issues/{id} */
export const issueQueries = ({ pool }: QueryOptions, settle: Settle): readonly Route[] => [
  queryRoute(settle, {
    path: '/issues',
    role: READERS,
    scoped: true,
    summary: 'List issues',
    description:
      'Without descriptions and resolutions: those are with the issue itself. Of a repeated filter any value will do, of `label` all ' +
      'must be there. Participants are named `agent:<id>`, `user:<id>` or `key:<id>`. In the order `priority` critical ones come first.',
    answer: 'A page of issues; `next` is the cursor of the page after it, null on the last.',
    schema: pageOf(listedIssue),
    models: [issueModel, commentModel],
    query: {
      state: several(statusName).optional(),
      priority: several(priorityName).optional(),
      label: several(short).optional(),
      assignee: several(short).optional(),
      assignment: several(z.enum(issueAssignments)).optional(),
      offeredTo: several(short).optional().describe('whom they are offered to now'),
      reporter: several(short).optional(),
      repository: several(short).optional(),
      taskId: anyId.optional().describe('what was turned into this task'),
      ...pageParameters(list.sorts, '-created'),
    },
    handler: async ({ query: asked, principal }) => {
      const scope = scopeOf({ principal });
      return many(
        await readPage(pool, list, asked, (query) => {
          if (scope) query.whereIn('t.repository', scope);
          if (asked.state) query.whereIn('t.state', asked.state);
          if (asked.priority) query.whereIn('t.priority', asked.priority);
          if (asked.label) query.whereRaw('t.labels @> ?::text[]', [asked.label]);
          if (asked.assignee) query.whereIn('t.assignee', asked.assignee);
          if (asked.assignment) query.whereIn('t.assignment', asked.assignment);
          if (asked.offeredTo) query.whereIn('t.offered_to', asked.offeredTo);
          if (asked.reporter) query.whereIn('t.reporter', asked.reporter);
          if (asked.repository) query.whereIn('t.repository', asked.repository);
          if (asked.taskId) query.whereRaw('t.task_ids @> ?::text[]', [[asked.taskId]]);
        }),
      );
    },
  }),
  queryRoute(settle, {
    path: '/issues/{id}',
    role: READERS,
    scoped: true,
    summary: 'An issue',
    answer: 'The issue.',
    schema: issueAnswer,
    params: byId,
    problems: ['not-found'],
    models: [issueModel, commentModel],
    handler: async ({ params: { id }, principal }) => {
      const row = await readWithin(pool, scopeOf({ principal }), issueModel, { noun: 'issue', id });
      const count = 'select count(*)::integer as comments from read_models.comments where issue_id = $1';
      const [said] = await selectRows<{ comments: number }>(pool, count, [id]);
      const answer = { ...row, comments: said?.comments ?? 0 };
      return one(answer);
    },
  }),
];
