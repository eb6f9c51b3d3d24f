import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../testing/processes/until.ts';
import { createBareOrigin, git } from '../testing/repository/git.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';
import { embedded } from '../testing/system/embedded.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { createTask, finalTask, type Task } from '../testing/system/tasks.ts';
import { temporaryFolder, removeFolder } from '../testing/processes/folder.ts';

type Reason = {
  readonly kind: string;
  readonly questionId: string;
  readonly approvalOf: string;
  readonly text: string;
};
type Waiting = Task & { readonly waitingFor: readonly Reason[]; readonly reason: string | null };

let folder: string;
let person: string;
let origin: string;
let system: RunningSystem;

beforeAll(async () => {
  folder = await temporaryFolder('questions');
  person = join(folder, 'person');
  createShellRepository(person);
  origin = createBareOrigin(person);
  git(person, 'fetch', '--quiet');
  git(person, 'branch', '--quiet', '--set-upstream-to', 'origin/trunk');
  const notes = `${writeRightGreet}date +%N > stamp; sed -i "1s/.*/by the agent $(cat stamp)/" NOTES; rm stamp\n`;
  system = await embedded.start({
    repositories: [{ ...shellRegistration, url: origin, merge: 'fast-forward', approval: 'before-merge' }],
    agents: [scriptAgent('notes', notes)],
  });
}, 60_000);
afterAll(async () => {
  await system.dispose();
  await removeFolder(folder);
});

const post = (path: string, body: object, key?: string) =>
  system.client.expect2xx('POST', path, { body, ...(key !== undefined && { key }) });
const restart = async (): Promise<void> => {
  await system.kill9('service', 'storage');
  await system.restart();
};

/** Waits until somebody is asked about the task's merge, other than by this question. */
const awaited = async (id: string, other?: string): Promise<Waiting & { readonly asked: Reason }> => {
  for (;;) {
    const task = await system.client.find<Waiting>(`/tasks/${id}`);
    const asked = task?.waitingFor.find(({ kind, questionId }) => kind === 'answer' && questionId !== other);
    if (task && asked) return { ...task, asked };
    if (task && ['complete', 'failed', 'cancelled'].includes(task.state))
      throw new Error(`it ended otherwise: ${JSON.stringify(task.failure)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
const trunk = (): string => git(origin, 'rev-parse', 'trunk');
const eventsOf = async (type: string, taskId: string) =>
  (await system.client.log()).filter(
    (event) => event.type === type && (event.data as { taskId?: string }).taskId === taskId,
  );

describe('work whose merge is to be approved', { timeout: 120_000 }, () => {
  test('that was refused is asked about anew when a person retries its merge, who may approve it; a kill loses no approval', async () => {
    const before = trunk();
    const id = await createTask(system.client, 'greeter', { title: 'Change the notes', capabilities: ['notes'] });
    const { asked } = await awaited(id);
    await post(`/questions/${asked.questionId}/answer`, { choice: 'refuse', words: 'we do not want that' });
    const refused = (await finalTask(system.client, id)) as Waiting;
    expect(refused).toMatchObject({ state: 'failed', reason: 'we do not want that', failure: { step: 'approve' } });
    expect(git(origin, 'rev-parse', `workledger/${id}`)).toBe(asked.approvalOf);
    expect(trunk()).toBe(before);

    const { token } = await post(`/tasks/${id}/retry`, { from: 'merge' });
    await system.client.expect2xx('GET', `/tasks/${id}`, { token });
    const again = await awaited(id, asked.questionId);
    expect(again.asked.approvalOf).toBe(asked.approvalOf);
    await post(`/tasks/${id}/approve`, {});
    await restart();
    expect(await finalTask(system.client, id)).toMatchObject({ state: 'complete', result: { merged: true } });
    expect([(await eventsOf('QuestionAsked', id)).length, (await eventsOf('QuestionAnswered', id)).length]).toEqual([
      2, 2,
    ]);
    const saga = JSON.stringify(await system.client.stream(`saga-code-evolution-${refused.claimId}`));
    expect(saga, 'words of a person stay where they were said, and with the task').not.toContain('we do not want that');
  });

  test('is approved with what it changes: the same patch on a moved base needs no second approval, another one does', async () => {
    const personDoes = (script: string): void => {
      git(person, 'pull', '--quiet', '--rebase');
      execFileSync('sh', ['-euc', script], { cwd: person });
      git(person, 'add', '--all');
      git(person, 'commit', '--quiet', '-m', 'By a person');
      git(person, 'push', '--quiet', 'origin', 'HEAD:trunk');
    };
    const same = await createTask(system.client, 'greeter', { title: 'Notes once', capabilities: ['notes'] });
    await awaited(same);
    personDoes('echo more > another');
    await post(`/tasks/${same}/approve`, {});
    expect(await finalTask(system.client, same)).toMatchObject({ state: 'complete', result: { merged: true } });
    expect(await eventsOf('QuestionAsked', same)).toHaveLength(1);

    const other = await createTask(system.client, 'greeter', { title: 'Notes twice', capabilities: ['notes'] });
    const { asked } = await awaited(other);
    personDoes('sed -i "3s/.*/third by a person/" NOTES');
    await post(`/tasks/${other}/approve`, {});
    const anew = await awaited(other, asked.questionId);
    expect(anew.asked.approvalOf).not.toBe(asked.approvalOf);
    await post(`/tasks/${other}/approve`, { commit: anew.asked.approvalOf });
    expect(await finalTask(system.client, other)).toMatchObject({ state: 'complete', result: { merged: true } });
    expect(trunk()).toBe(anew.asked.approvalOf);
  });
});

describe('an agent that works elsewhere', { timeout: 60_000 }, () => {
  test('asks about its task, waits for the answer, and gets its default when nobody answers, never early, over a kill', async () => {
    const { id: agentId } = await post('/agents', { name: 'far', capabilities: ['far'], capacity: 2 });
    const key = String((await post('/keys', { name: 'far', role: 'agent', agentId })).body['key']);
    const { id: taskId } = await post('/tasks', { title: 'Think' });
    const claimId = String((await post(`/tasks/${taskId}/claim`, { agentId }, key)).body['claimId']);
    const asking = { askee: { kind: 'role', role: 'auditor' }, text: 'Which greeting?', taskId, claimId };
    const deadline = { seconds: 6, then: { do: 'default', answer: 'Hello' } };
    const { id, token } = await post('/questions', { ...asking, deadline }, key);
    const { id: openId } = await post('/questions', asking, key);
    const { body } = await system.client.expect2xx('GET', `/tasks/${taskId}`, { token });
    expect((body['waitingFor'] as Reason[])[0]).toMatchObject({
      ...{ kind: 'answer', questionId: id, text: 'it waits for an answer of role auditor: Which greeting?' },
    });
    await restart();
    const answered = await system.client.expect2xx('GET', `/questions/${id}?wait=30`, { key });
    expect(answered.body).toMatchObject({ state: 'answered', words: 'Hello', via: 'default', answeredBy: null });
    const [told] = await eventsOf('QuestionDefaulted', taskId);
    expect(Date.parse(told?.recordedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(String(answered.body['deadline'])));
    const late = await system.client.send('POST', `/questions/${id}/answer`, { body: { words: 'Hi' } });
    expect([late.status, late.body['facts']]).toMatchObject([409, { answer: { words: 'Hello' } }]);

    await post(`/tasks/${taskId}/cancel`, {});
    const withdrawn = await system.client.expect2xx('GET', `/questions/${openId}?wait=30`, { key });
    expect(withdrawn.body).toMatchObject({ state: 'withdrawn', reason: 'its task is cancelled' });
  });

  test('a question that nobody may wait for any longer is escalated', async () => {
    const deadline = { seconds: 1, then: { do: 'escalate', role: 'operator' } };
    const { id } = await post('/questions', { askee: { kind: 'team', team: 'web' }, text: 'Which?', deadline });
    const key = String((await post('/keys', { name: 'o', role: 'operator' })).body['key']);
    await until('its escalation', async () => {
      const row = await system.client.find<{ escalatedTo: string | null }>(`/questions/${id}`);
      return row?.escalatedTo === 'operator';
    });
    const mine = await system.client.expect2xx('GET', '/questions?mine=true&state=open', { key });
    expect((mine.body['items'] as { id: string }[]).map((item) => item.id)).toContain(id);
    await post(`/questions/${id}/answer`, { words: 'this one' }, key);
  });
});
