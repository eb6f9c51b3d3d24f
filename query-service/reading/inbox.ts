import type { Pool } from 'pg';
import { inboxId } from '@workledger/shared/contexts/agent/inbox/events.ts';
import { inboxModel, type InboxRow } from '@workledger/shared/contexts/agent/inbox/row.ts';
import { messageModel, type MessageRow } from '@workledger/shared/contexts/agent/message/row.ts';
import { selectList } from '@workledger/shared/contexts/define-row.ts';
import { parseParticipant } from '@workledger/shared/contexts/participant.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import { decoded, encoded, invalidCursor, PAGE_BYTES } from './page.ts';
import type { Scope } from './scope.ts';

/** Unread messages are counted up to here. */
export const MOST_COUNTED = 10_000;

export type Reader = { readonly actor: string; readonly scope: Scope; readonly retentionDays: number };
export type InboxMessage = MessageRow & { readonly unread: boolean };
type Asked = {
  readonly order: 'newest' | 'unread-first';
  readonly unread: boolean | undefined;
  readonly cursor: string | undefined;
  readonly limit: number;
};

/** What an inbox is made of: where messages for it go, each from where on, and up to where all is read. */
export async function readInboxRow(
  pool: Pool,
  actor: string,
): Promise<Pick<InboxRow, 'revision' | 'topics' | 'marks'>> {
  const statement = `select ${selectList(inboxModel.columns)} from read_models.inboxes where id = $1`;
  const [row] = await selectRows<InboxRow>(pool, statement, [inboxId(actor)]);
  return row ?? { revision: -1, topics: [], marks: [] };
}

/** A page of an inbox, and how many in it are unread. @throws Problem `unknown-cursor` */
export async function readInbox(pool: Pool, reader: Reader, { order, unread, cursor, limit }: Asked) {
  const { topics, marks } = await readInboxRow(pool, reader.actor);
  const inbox = [
    ['all', ...topics.map(({ topic }) => `topic:${topic}`), reader.actor],
    ['0', ...topics.map(({ since }) => since), '0'],
    reader.actor,
    reader.retentionDays * 86_400,
    reader.scope,
    JSON.stringify(marks),
    parseParticipant(reader.actor).id,
  ];
  const after = cursor === undefined ? null : readCursor(cursor, order);
  const sorted = order === 'newest' ? 'position desc' : 'unread desc, position desc';
  const place = order === 'newest' ? 'position < $9::bigint' : '(unread, position) < ($8::boolean, $9::bigint)';
  const [rows, [count]] = await Promise.all([
    selectRows<InboxMessage & { readonly bytes_before: string }>(
      pool,
      `select *, sum(octet_length(body) + coalesce(octet_length(content), 0)) over (order by ${sorted}) as bytes_before
       from (select * from (${INBOX}) as mine
         where ($8::boolean is null or ${place}) and ($10::boolean is null or unread = $10::boolean)
         order by ${sorted} limit $11) as page order by ${sorted}`,
      [...inbox, after?.unread ?? null, after?.position ?? null, unread ?? null, limit + 1],
    ),
    selectRows<{ readonly unread: number }>(
      pool,
      `select count(*)::integer as unread from (select from (${INBOX}) as mine where unread limit ${MOST_COUNTED}) as counted`,
      inbox,
    ),
  ]);
  const fitting = rows.findIndex(({ bytes_before }) => Number(bytes_before) > PAGE_BYTES);
  const items = rows.slice(0, Math.min(limit, fitting < 1 ? Math.max(limit, fitting) : fitting));
  const last = items.at(-1);
  const next = last === undefined || rows.length === items.length ? null : writeCursor(order, last);
  return { items: items.map(({ bytes_before: _, ...row }) => row as InboxMessage), next, unread: count?.unread ?? 0 };
}

/** To all: from when the reader is there. What one sends to many does not come back. */
const INBOX = `
select ${selectList(
  messageModel.columns.filter((name) => name !== 'deliveredAt' && name !== 'readAt'),
  'm',
)},
  coalesce(m.delivered_at, r.delivered_at) as "deliveredAt", coalesce(m.read_at, r.read_at, k.at) as "readAt",
  coalesce(m.read_at, r.read_at, k.at) is null as unread
from unnest($1::text[], $2::bigint[]) as a (address, since)
join read_models.messages m on m.address = a.address and m.position > a.since
left join read_models.receipts r on r.message_id = m.id and r.participant = $3
left join lateral (
  select min(mark.at) as at from jsonb_to_recordset($6::jsonb) as mark (repository text, until bigint, at timestamptz)
  where m.position <= mark.until and (mark.repository is null or mark.repository = m.repository)
) k on true
where m.sent_at > clock_timestamp() - make_interval(secs => $4)
  and (a.address = $3 or m.sender <> $3)
  and ($5::text[] is null or m.repository = any ($5::text[]))
  and (a.address <> 'all' or m.sent_at >= coalesce(
    (select created_at from read_models.keys where id = $7),
    (select registered_at from read_models.agents where id = $7),
    (select created_at from read_models.users where id = $7), '-infinity'))`;

type Cursor = { readonly order: string; readonly unread: boolean; readonly position: string };

const writeCursor = (order: string, { unread, position }: InboxMessage): string => encoded({ order, unread, position });

function readCursor(text: string, order: string): Cursor {
  const held = decoded(text) as Partial<Cursor> | null;
  const isOne = typeof held?.unread === 'boolean' && /^\d{1,18}$/.test(String(held.position));
  if (!isOne) throw invalidCursor('use a cursor as a page gave it');
  if (held.order !== order) throw invalidCursor(`it belongs to the order ${held.order}: start again`);
  return held as Cursor;
}
