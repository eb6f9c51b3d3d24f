import type { Pool } from 'pg';
import { z } from 'zod';
import { inboxId } from '@workledger/shared/contexts/agent/inbox/events.ts';
import { inboxModel, receiptModel, type InboxRow } from '@workledger/shared/contexts/agent/inbox/row.ts';
import { messageModel, messageRow, type MessageRow } from '@workledger/shared/contexts/agent/message/row.ts';
import { time } from '@workledger/shared/contexts/define-row.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal, Route } from '@workledger/shared/http/route.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  anyId,
  byId,
  many,
  one,
  OPERATORS,
  queryRoute,
  READERS,
  readRow,
  several,
  short,
  type QueryOptions,
} from '../reading/query-route.ts';
import { isWithin, onlyRepositoriesWithin, scopeOf, type Scope } from '../reading/scope.ts';
import { known, messageAnswer, retentionOf, withContent } from './inbox.ts';

const MOST_CONFIRMATIONS = 100;

const list: ListDefinition<MessageRow> = {
  model: messageModel,
  without: ['body', 'content'],
  sorts: { sent: { column: 'sentAt', type: 'timestamptz' } },
};

const confirmation = z.strictObject({ participant: z.string(), deliveredAt: time.nullable(), readAt: time.nullable() });
type Confirmation = z.infer<typeof confirmation>;

/** Sees what was sent to whom, as others see it, and who confirmed it. */
const overlooks = ({ role }: Principal): boolean => OPERATORS.includes(role);

/** GET /messages and GET /messages/{id} */
export const messageQueries = (options: QueryOptions, settle: Settle): readonly Route[] => [
  queryRoute(settle, {
    path: '/messages',
    role: READERS,
    scoped: true,
    summary: 'List the messages that you sent',
    description: 'Operators, auditors and administrators see those of all. Without bodies: those are with the message.',
    answer: 'A page of messages.',
    schema: pageOf(messageRow.omit({ body: true, content: true })),
    models: [messageModel],
    query: {
      from: short.optional().describe('who sent it'),
      to: several(short).optional().describe('a participant, topic:<topic>, or all'),
      messageType: several(short).optional(),
      repository: several(short).optional(),
      taskId: anyId.optional(),
      ...pageParameters(list.sorts, '-sent'),
    },
    handler: async ({ query: asked, principal }) => {
      const asking = known(principal);
      const scope = scopeOf({ principal });
      const page = await readPage(options.pool, list, asked, (query) => {
        query.whereRaw('t.sent_at > clock_timestamp() - make_interval(secs => ?)', [retentionOf(options) * 86_400]);
        if (!overlooks(asking)) query.where('t.sender', asking.actor);
        onlyRepositoriesWithin(query, scope);
        if (asked.from !== undefined) query.where('t.sender', asked.from);
        if (asked.to) query.whereIn('t.address', asked.to);
        if (asked.messageType) query.whereIn('t.message_type', asked.messageType);
        if (asked.repository) query.whereIn('t.repository', asked.repository);
        if (asked.taskId !== undefined) query.where('t.task_id', asked.taskId);
      });
      return many(page);
    },
  }),
  queryRoute(settle, {
    path: '/messages/{id}',
    role: READERS,
    scoped: true,
    summary: 'A message, and who confirmed it',
    description: `Who sent it, and those who oversee, see the newest ${MOST_CONFIRMATIONS} confirmations; others their own.`,
    answer: 'The message.',
    schema: messageAnswer.extend({ confirmations: z.array(confirmation) }),
    params: byId,
    problems: ['not-found'],
    models: [messageModel, inboxModel, receiptModel],
    handler: async ({ params, principal }) => {
      const asking = known(principal);
      const message = await readRow(options.pool, messageModel, params.id, 'message');
      const isOld = Date.parse(message.sentAt) < Date.now() - retentionOf(options) * 86_400_000;
      if (isOld || !maySee(asking, scopeOf({ principal }), message))
        throw new Problem('not-found', `there is no message ${params.id}`);
      const isSender = message.sender === asking.actor || overlooks(asking);
      const confirmations = await confirmationsOf(options.pool, message, isSender ? null : asking.actor);
      const told = { ...withContent(message), confirmations };
      return one(told);
    },
  }),
];

/** Topics are open to all; what was sent to one is for two. */
function maySee(asking: Principal, scope: Scope, { sender, address, repository }: MessageRow): boolean {
  if (!isWithin(scope, { repository })) return false;
  const isOpen = address === 'all' || address.startsWith('topic:');
  return isOpen || sender === asking.actor || address === asking.actor || overlooks(asking);
}

/** @param only of this participant; null: of all */
async function confirmationsOf(pool: Pool, message: MessageRow, only: string | null): Promise<readonly Confirmation[]> {
  const { id, address, deliveredAt, readAt } = message;
  if (address !== 'all' && !address.startsWith('topic:')) {
    const confirmed = { participant: address, deliveredAt, readAt: readAt ?? (await markOf(pool, message)) };
    return confirmed.deliveredAt === null && confirmed.readAt === null ? [] : [confirmed];
  }
  return selectRows<Confirmation>(
    pool,
    `select participant, delivered_at as "deliveredAt", read_at as "readAt" from read_models.receipts
     where message_id = $1 and ($2::text is null or participant = $2)
     order by delivered_at desc, id desc limit ${MOST_CONFIRMATIONS}`,
    [id, only],
  );
}

/** When all was marked as read, this message with it; null: it was not. */
async function markOf(pool: Pool, { address, position, repository }: MessageRow): Promise<string | null> {
  const statement = 'select marks from read_models.inboxes where id = $1';
  const [row] = await selectRows<Pick<InboxRow, 'marks'>>(pool, statement, [inboxId(address)]);
  const mark = row?.marks.find(
    (each) => BigInt(each.until) >= BigInt(position) && (each.repository === null || each.repository === repository),
  );
  return mark?.at ?? null;
}
