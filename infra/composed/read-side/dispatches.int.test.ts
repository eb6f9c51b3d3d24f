import { createCommandHandlers, type CommandHandlers } from '@workledger/command-service/processes/handlers.ts';
import { settleDue } from '@workledger/command-service/processes/dispatch-watch.ts';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { keepForgetting } from '@workledger/projections/messages/forget.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { dueDispatches, waitingDeliveries } from '@workledger/shared/read-models/dispatches.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { until } from '../../testing/processes/until.ts';
import { items, startReadSide, type ReadSide } from './testing.ts';

const DAY = 86_400_000;
const reader = newId();
const [sender, member] = [`key:${newId()}`, `agent:${reader}`];

let side: ReadSide;
let commands: CommandHandlers;
let now = Date.now();
beforeAll(async () => {
  side = await startReadSide();
  const { database, log } = side;
  await migrate(database.url, 'command_service', commandServiceMigrations);
  commands = await createCommandHandlers({
    ...{ log, pool: database.pool, now: () => now, nextTasks: async () => [] },
    configuration: { repositories: [{ name: 'mine' }], leaseSeconds: 60, heartbeatSeconds: 30 },
  });
  side.startProjections();
});
afterAll(() => side.close());

const PROTOCOL = '/collaborative/protocol';
const caller = { role: 'agent', teams: ['web'] } as const;
async function send(guarantee: string, more: object = {}): Promise<{ id: string; token: string; deliveryId: string }> {
  const data = { type: 'work.wanted', payload: { n: 1 }, guarantee, targets: ['team:web'], ...more };
  const command = { type: 'dispatch.send', target: newId(), data };
  const { id, token, details } = await commands.send(command, { actor: sender, correlationId: newId() });
  const [delivery] = details['deliveries'] as { deliveryId: string }[];
  return { id, token, deliveryId: delivery!.deliveryId };
}
const hand = (id: string, deliveryId: string) =>
  commands.send(
    { type: 'dispatch.hand', target: id, data: { deliveryId, visibilitySeconds: 1 } },
    { actor: member, caller, correlationId: newId() },
  );
const waiting = async (actor: string, teams: readonly string[], repositories: readonly string[] | null = null) =>
  (await waitingDeliveries(side.database.pool, { actor, teams, repositories, limit: 9 })).map((one) => one.dispatchId);
const seen = (token: string) => side.get(PROTOCOL, { 'consistency-token': token });

test('what waits is told to whom it is for, until it is handed over; and again to whoever had it', async () => {
  const [old, once] = [await send('effectively-once'), await send('at-most-once', { repository: 'mine' })];
  await seen(`${old.token},${once.token}`);
  expect(await waiting(member, ['web'])).toEqual([old.id, once.id]);
  expect(await waiting(member, ['web'], ['mine'])).toEqual([once.id]);
  expect(await waiting(member, ['api'])).toEqual([]);

  const tokens = [await hand(old.id, old.deliveryId), await hand(once.id, once.deliveryId)].map(({ token }) => token);
  await seen(tokens.join());
  await until('it to be visible again', async () => (await waiting(member, ['web'])).length > 0);
  expect(await waiting(member, ['web']), 'never again what goes out at most once').toEqual([old.id]);
  expect(await waiting(`agent:${newId()}`, ['web']), 'its effect is in the name of whoever had it').toEqual([]);
});

test('what has expired is given up, told, and forgotten in the end; the log has it still', async () => {
  now = Date.now() - 7 * DAY;
  const { id, token } = await send('at-least-once', { type: 'too.late' });
  const held = await send('at-most-once', { type: 'went.out' });
  const handed = await hand(held.id, held.deliveryId);
  now = Date.now();
  await seen(`${token},${handed.token}`);
  expect(await waiting(member, ['web'])).not.toContain(id);
  await settleDue({ commands, due: () => dueDispatches(side.database.pool) });
  await seen(`dispatch-${id}@1`);
  expect(await dueDispatches(side.database.pool)).toEqual([]);
  const expired = items(await side.get(`${PROTOCOL}?state=expired,dead`));
  expect(expired).toMatchObject([{ dispatchId: id, state: 'expired', handings: 0, proof: null }]);
  const { body } = await side.get(`${PROTOCOL}/${held.id}`);
  expect(body).toMatchObject({ payload: { n: 1 }, deliveries: [{ state: 'sent', handings: 1, heldBy: member }] });

  const stopping = new AbortController();
  const logger = captureLog().logger;
  const forgetting = keepForgetting({ pool: side.database.pool, logger }, 0.5, stopping.signal);
  await until('it to be gone', async () => (await side.get(`${PROTOCOL}/${id}`)).status === 404);
  stopping.abort();
  await forgetting;
  expect(items(await side.get(`${PROTOCOL}?type=too.late,went.out`))).toEqual([]);
  expect(items(await side.get(`${PROTOCOL}?type=work.wanted`))).toHaveLength(2);
});

test('deliveries are there for those who sent them, for whom they are, and within their repositories', async () => {
  const list = async (key: string) => items(await side.get(`${PROTOCOL}?type=work.wanted`, {}, key)).length;
  expect(await list(await side.key('viewer')), 'somebody else').toBe(0);
  expect(await list(await side.key('auditor'))).toBe(2);
  expect(await list(await side.key('operator', { repositories: ['mine'] }))).toBe(1);
});
