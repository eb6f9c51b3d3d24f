import { afterAll, beforeAll, expect, test } from 'vitest';
import { keepForgetting } from '@workledger/projections/messages/forget.ts';
import { inboxId } from '@workledger/shared/contexts/agent/inbox/events.ts';
import type { MessageSent } from '@workledger/shared/contexts/agent/message/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { until } from '../../testing/processes/until.ts';
import { startReadSide, type ReadSide } from './testing.ts';

const RETENTION_DAYS = 90;
const MORE_THAN_AT_ONCE = 2_500;

let side: ReadSide;
beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
});
afterAll(() => side.close());

const reader = newId();
const participant = `agent:${reader}`;
const sender = `agent:${newId()}`;
const nothing = { messageType: null, typeNumber: null, content: null, repository: null, taskId: null, replyTo: null };

async function send(to: MessageSent['to'], subject: string): Promise<string> {
  const id = newId();
  const data = { from: sender, to, subject, body: '', ...nothing };
  await side.append(streamName('message', id), { type: 'MessageSent', data });
  if (to.kind === 'all')
    await side.append(streamName('inbox', inboxId(participant)), {
      type: 'InboxMessageRead',
      data: { messageId: id, participant },
    });
  return id;
}
const idsOf = async (table: string, column: string): Promise<string[]> =>
  (await side.database.pool.query<{ id: string }>(`select ${column} as id from read_models.${table}`)).rows.map(
    ({ id }) => id,
  );

test('messages older than they are kept, and what was confirmed of them, are forgotten; the log has them still', async () => {
  const mine = { kind: 'participant', participant } as const;
  const old = [await send(mine, 'old'), await send({ kind: 'all' }, 'old, to all')];
  const young = [await send(mine, 'young'), await send({ kind: 'all' }, 'young, to all')];
  await until('all of them to be there', async () => (await idsOf('receipts', 'id')).length === 2);
  const key = await side.key('agent', { agentId: reader });
  const inbox = async (): Promise<string[]> => {
    const { items } = (await side.get('/inbox', {}, key)).body as { items: { id: string }[] };
    return items.map(({ id }) => id);
  };
  expect((await inbox()).toSorted()).toEqual([...old, ...young].toSorted());

  const { pool } = side.database;
  const longAgo = "clock_timestamp() - interval '90 days 1 minute'";
  await pool.query(`update read_models.messages_v1 set sent_at = ${longAgo} where id = any ($1)`, [old]);
  await pool.query(`update read_models.receipts_v1 set delivered_at = ${longAgo} where message_id = any ($1)`, [old]);
  await pool.query(
    `insert into read_models.messages_v1 (id, revision, position, sender, address, subject, body, sent_at)
     select gen_random_uuid(), 0, 1, 'agent', 'all', 's', '', ${longAgo} from generate_series(1, ${MORE_THAN_AT_ONCE})`,
  );
  expect((await inbox()).toSorted()).toEqual(young.toSorted());

  const stopping = new AbortController();
  const forgetting = keepForgetting({ pool, logger: captureLog().logger }, RETENTION_DAYS, stopping.signal);
  await until('what is old to be gone', async () => (await idsOf('messages', 'id')).length === young.length);
  await until('its receipt to be gone', async () => (await idsOf('receipts', 'id')).length === 1);
  stopping.abort();
  await forgetting;
  expect((await idsOf('messages', 'id')).toSorted()).toEqual(young.toSorted());
  expect(await idsOf('receipts', 'message_id')).toEqual([young[1]]);
  const kept = [];
  for await (const { stream } of side.log.readAll({ streams: ['message'] })) kept.push(stream);
  expect(kept).toEqual([...old, ...young].map((id) => streamName('message', id)));
});
