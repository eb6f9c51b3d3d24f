import { afterAll, beforeAll, expect, it } from 'vitest';
import { deliveryStreamId } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { problemCode } from '../../testing/servers/application.ts';
import { items, startReadSide, type ReadSide } from './testing.ts';

let side: ReadSide;

beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
});

afterAll(() => side.close());

const link = (digest: string) => `/api/v1/artefacts/${digest}`;

it('serves an artefact as a download that no browser runs', async () => {
  const { digest } = await side.artefacts.put(Buffer.from('<script>alert(1)</script>'), 'text/html');
  const response = await fetch(`${side.client.url}/api/v1/artefacts/${digest}`, {
    headers: { Authorization: `Bearer ${await side.key('viewer')}` },
  });
  expect(await response.text()).toBe('<script>alert(1)</script>');
  expect(response.headers.get('Content-Type')).toContain('text/html');
  expect(response.headers.get('Content-Disposition')).toBe(`attachment; filename="${digest}"`);
  expect(response.headers.get('Content-Security-Policy')).toBe("sandbox; default-src 'none'");
  expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
});

it('knows no artefact that is not there, and no digest that is none', async () => {
  expect(problemCode(await side.get(`/artefacts/${'0'.repeat(64)}`))).toBe('not-found');
  expect((await side.get('/artefacts/..%2Fsecret')).status).toBe(400);
});

it('serves a pipeline with links to what its attempts left, and finds it by its task', async () => {
  const [id, taskId] = [newId(), newId()];
  const prompt = await side.artefacts.put(Buffer.from('make it faster'), 'text/plain');
  const source = { stream: streamName('task', taskId), revision: 1, eventId: newId() };
  const call = { kind: 'call', key: 'generate/1/1/work', component: 'code.work', request: {}, timeoutSeconds: 9 };
  const token = await side.append(
    streamName('saga-code-evolution', id),
    { type: 'SagaInputReceived', data: { source, type: 'TaskClaimed', data: {} } },
    { type: 'SagaStepChanged', data: { step: 'generate', round: 1, attempt: 1, state: 'started', detail: {} } },
    { type: 'SagaEffectRequested', data: { effect: call } },
    { type: 'SagaEffectSucceeded', data: { key: call.key, result: { prompt, exitCode: 0 } } },
  );
  const { body } = await side.get(`/pipelines/${id}`, { 'Consistency-Token': token });
  expect(body['steps']).toMatchObject([
    { attempts: [{ effects: [{ exitCode: 0, artefacts: { prompt: { ...prompt, href: link(prompt.digest) } } }] }] },
  ]);
  const [listed] = items(await side.get(`/pipelines?taskId=${taskId}&state=running`));
  expect(listed).toMatchObject({ id, taskId });
  expect(listed).not.toHaveProperty('steps');
});

it('serves agents with how much of them is in use', async () => {
  const id = newId();
  const data = {
    name: 'helper',
    kind: 'worker',
    runtime: 'command',
    capabilities: ['code'],
    capacity: 2,
    coordinatorId: null,
  };
  const token = await side.append(
    streamName('agent', id),
    { type: 'AgentRegistered', data },
    { type: 'AgentReserved', data: { claimId: newId(), taskId: newId() } },
  );
  const told = await side.get('/agents?status=active,busy&capability=code', { 'Consistency-Token': token });
  expect(items(told)).toMatchObject([{ id, status: 'active', utilisation: 0.5 }]);
  expect((await side.get(`/agents/${id}`)).headers.get('ETag')).toBe('"1"');
});

it('serves webhook deliveries with a link to the body', async () => {
  const id = deliveryStreamId('github', 'guid-9');
  const body = await side.artefacts.put(Buffer.from('{}'), 'application/json');
  const received = {
    provider: 'github',
    deliveryId: 'guid-9',
    event: 'ping',
    action: null,
    repository: null,
    sender: 'ada',
    body,
  };
  const token = await side.append(
    streamName('delivery', id),
    { type: 'DeliveryReceived', data: received },
    { type: 'DeliveryIgnored', data: { reason: 'a ping' } },
  );
  const told = await side.get('/webhooks/deliveries?outcome=ignored', { 'Consistency-Token': token });
  expect(items(told)).toMatchObject([{ id, reason: 'a ping', body: { href: link(body.digest) } }]);
  expect((await side.get(`/webhooks/deliveries/${id}`)).body).toMatchObject({ id, sender: 'ada' });
});

it('lists keys without anything secret', async () => {
  await side.key('operator');
  await expect.poll(async () => items(await side.get('/keys?role=operator'))).toHaveLength(1);
  expect(JSON.stringify((await side.get('/keys')).body)).not.toMatch(/[0-9a-f]{64}|secret/i);
});
