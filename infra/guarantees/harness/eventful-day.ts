import type { Client } from '@workledger/shared/client/client.ts';
import { deliver, labeledIssue } from '../../testing/system/github.ts';
import { untilFinal } from '../../testing/system/saga.ts';

/** A bit of everything that can be asked for over the API, and one task that is carried to its end by a configured agent. */
export async function eventfulDay(client: Client): Promise<void> {
  const make = async (path: string, body: object): Promise<string> =>
    (await client.expect2xx('POST', path, { body })).id;
  const post = (path: string, body: object = {}) => client.expect2xx('POST', path, { body });

  const routed = await deliver(client, labeledIssue(1));
  const agent = await make('/agents', { name: 'Ada’s own', capabilities: ['review'], capacity: 3 });
  const key = await make('/keys', { name: 'to be revoked', role: 'agent', agentId: agent });
  await client.expect2xx('DELETE', `/keys/${key}`, { body: { reason: 'lost' } });

  const wish = { capabilities: ['review'], labels: ['x'], metadata: { from: 'a test' } };
  const [first, second, third] = [
    await make('/tasks', { title: 'first', ...wish }),
    await make('/tasks', { title: 'second — “quoted” \\ ünïcode 🙂', ...wish }),
    await make('/tasks', { title: 'third', ...wish, priority: 1 }),
  ];
  await post(`/tasks/${second}/dependencies`, { dependsOn: first });
  await post(`/tasks/${third}/dependencies`, { dependsOn: first });
  await client.expect2xx('DELETE', `/tasks/${third}/dependencies/${first}`);
  await client.expect2xx('PATCH', `/tasks/${first}`, { body: { priority: 2, assignee: 'ada' } });
  const { body: claim } = await post(`/tasks/${first}/claim`, { agentId: agent });
  const { claimId } = claim;
  await post(`/tasks/${first}/renew`, { claimId });
  await post(`/tasks/${first}/progress`, { claimId, note: 'half', percent: 50 });
  await post(`/tasks/${first}/release`, { claimId, reason: 'something else came up' });
  await post(`/tasks/${second}/cancel`, { reason: 'no more' });
  await post(`/tasks/${second}/retry`);
  await post(`/tasks/${third}/expand`, {
    subtasks: [
      { title: 'a part', ...wish },
      { title: 'another', ...wish },
    ],
  });
  const [entry, other] = [
    await make('/knowledge', { title: 'Pools — “few”', content: 'ünïcode 🙂', tags: ['sql'] }),
    await make('/knowledge', { title: 'Häuser', content: 'Bäume', language: 'german', access: { kind: 'private' } }),
  ];
  await client.expect2xx('PATCH', `/knowledge/${entry}`, { body: { content: 'five' } });
  await post(`/knowledge/${entry}/share`, { access: { kind: 'team', team: 'core' } });
  await post(`/knowledge/${entry}/related`, { relatedId: other });
  await client.expect2xx('DELETE', `/knowledge/${other}`, { body: {} });
  await post(`/agents/${agent}/error`, { message: 'no disk' });
  await post(`/agents/${agent}/clear-error`);
  await post(`/agents/${agent}/deactivate`);
  await deliver(client, labeledIssue(1));
  await untilFinal(client, String(routed.body['taskId']));
}
