import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '@workledger/shared/client/client.ts';
import { createTask, finalTask, taskWhen, type Task } from '../testing/system/tasks.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { untilTrue } from '../testing/processes/until.ts';
import { createBareOrigin, git } from '../testing/repository/git.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

type Waiting = Task & { readonly waitingFor?: readonly { readonly kind: string; readonly text: string }[] };
type Question = {
  readonly id: string;
  readonly state: string;
  readonly choice: string | null;
  readonly via: string | null;
  readonly approvalOf: string | null;
};

let folder: SystemFolder;
let origin: string;
let system: RunningSystem;
const configuration = () => ({
  repositories: [
    { ...shellRegistration, url: origin, merge: 'fast-forward', approval: 'before-merge' },
    { ...shellRegistration, url: origin, name: 'free' },
  ],
  agents: [scriptAgent('greeting', `${writeRightGreet}cat > PROMPT; date +%N >> NOTES\n`)],
});

beforeAll(async () => {
  folder = await systemFolder();
  const person = join(folder.path, 'person');
  createShellRepository(person);
  origin = createBareOrigin(person);
  system = await startInFolder(folder.path, configuration());
}, 60_000);
afterAll(() => folder.remove());

const post = (path: string, body: object, key?: string): Promise<Answer> =>
  system.client.send('POST', path, { body, ...(key !== undefined && { key }) });
const refusal = ({ status, body }: Answer): string => `${status} ${String(body['type']).split(/[/:]/).at(-1)}`;
const ask = (title: string): Promise<string> =>
  createTask(system.client, 'greeter', { title, capabilities: ['greeting'] });

/** Waits until somebody is asked about another commit than this. */
async function askedAbout(taskId: string, before: string | null = null): Promise<Question & { approvalOf: string }> {
  let open: Question | undefined;
  await untilTrue(async () => {
    const { body } = await system.client.expect2xx('GET', `/questions?taskId=${taskId}&state=open`);
    open = (body['items'] as Question[]).find(({ approvalOf }) => approvalOf !== before);
    const told = (await system.client.find<Task>(`/tasks/${taskId}`))?.history.findLast(isAsked);
    return open !== undefined && told?.data['questionId'] === open.id;
  }, 30);
  return open as Question & { approvalOf: string };
}

const isAsked = ({ type }: Task['history'][number]): boolean => type === 'TaskApprovalAsked';

/** A key of that role. */
const keyOf = async (role: string, more: object = {}): Promise<string> =>
  String((await system.client.expect2xx('POST', '/keys', { body: { name: role, role, ...more } })).body['key']);

describe('a merge that is to be approved', { timeout: 60_000 }, () => {
  test('waits and says for whom; sent back its agent has the words; it waits over kill -9; approved it is merged', async () => {
    const id = await ask('Greet the world');
    const first = await askedAbout(id);
    const task = (await taskWhen(system.client, id, ({ state }) => state === 'validation')) as Waiting;
    const text = 'its merge waits for the approval of role operator';
    expect(task.waitingFor).toContainEqual(expect.objectContaining({ kind: 'answer', text }));

    const words = 'Say it to the moon, too.';
    expect(refusal(await post(`/tasks/${id}/send-back`, { words }, await keyOf('viewer')))).toBe('403 forbidden');
    expect((await post(`/tasks/${id}/send-back`, { words })).status).toBe(200);
    const second = await askedAbout(id, first.approvalOf);
    const prompted = (commit: string): string => git(origin, 'show', `${commit}:PROMPT`);
    expect([first, second].map(({ approvalOf }) => prompted(approvalOf).includes(words))).toEqual([false, true]);

    system.program.signal('SIGKILL');
    await system.program.ended;
    system = await startInFolder(folder.path, configuration());
    expect((await askedAbout(id)).id).toBe(second.id);
    const { status, body } = await post(`/tasks/${id}/approve`, { commit: first.approvalOf });
    expect([status, body['detail']]).toEqual([409, expect.stringContaining(second.approvalOf)]);
    expect((await post(`/tasks/${id}/approve`, { commit: second.approvalOf })).status).toBe(200);
    const done = await finalTask(system.client, id);
    expect([done.state, done.result?.merged]).toEqual(['complete', true]);
    expect(git(origin, 'rev-parse', 'trunk')).toBe(second.approvalOf);
    const late = await post(`/questions/${second.id}/answer`, { choice: 'refuse', words: 'no' });
    expect([refusal(late), late.body['facts']]).toEqual([
      '409 already-answered',
      { answer: expect.objectContaining({ choice: 'approve' }) },
    ]);
  });

  test('is refused with words: the task fails, its branch stays, and sent back it begins anew', async () => {
    const id = await ask('Greet it otherwise');
    const { approvalOf } = await askedAbout(id);
    expect(refusal(await post(`/tasks/${id}/refuse`, {}))).toBe('400 invalid-request');
    expect((await post(`/tasks/${id}/refuse`, { words: 'Not in this life.' })).status).toBe(200);
    const failed = await finalTask(system.client, id);
    expect([failed.state, failed.failure?.reason]).toEqual(['failed', 'a person refused the merge']);
    expect(git(origin, 'rev-parse', `workledger/${id}`)).toBe(approvalOf);
    expect((await post(`/tasks/${id}/send-back`, { words: 'Well, try it once more.' })).status).toBe(200);
    await askedAbout(id, approvalOf);
    expect((await post(`/tasks/${id}/cancel`, {})).status).toBe(200);
    await untilTrue(async () => {
      const { body } = await system.client.expect2xx('GET', `/questions?taskId=${id}&state=open`);
      return (body['items'] as unknown[]).length === 0;
    }, 30);
  });

  test('of a repository without a policy nobody is asked', async () => {
    const wanted = { title: 'Greet freely', capabilities: ['greeting'] };
    const id = await createTask(system.client, 'free', wanted);
    expect((await finalTask(system.client, id)).state).toBe('complete');
    const { body } = await system.client.expect2xx('GET', `/questions?taskId=${id}`);
    expect(body['items']).toEqual([]);
  });
});

describe('a question of an agent', { timeout: 60_000 }, () => {
  test('about its task is told by the task, and answered by its default when nobody does in time', async () => {
    const { id: agentId } = await system.client.expect2xx('POST', '/agents', {
      body: { name: 'far', capabilities: ['far'] },
    });
    const key = await keyOf('agent', { agentId });
    const taskId = await createTask(system.client, 'free', { title: 'Far away', capabilities: ['far'] });
    const { body: claim } = await system.client.expect2xx('POST', `/tasks/${taskId}/claim`, { body: { agentId }, key });
    const asked = { askee: { kind: 'role', role: 'operator' }, text: 'Which one?', choices: ['a', 'b'], taskId };
    expect(refusal(await post('/questions', asked, key))).toBe('409 claim-mismatch');
    const { claimId } = claim;
    const deadline = { seconds: 2, then: { do: 'default', answer: 'b' } };
    const { id, token, status } = await post('/questions', { ...asked, claimId, deadline }, key);
    expect(status).toBe(201);
    const { body: task } = await system.client.expect2xx('GET', `/tasks/${taskId}`, { token });
    expect((task as unknown as Waiting).waitingFor).toContainEqual(
      expect.objectContaining({ kind: 'answer', text: 'it waits for an answer of role operator: Which one?' }),
    );
    const { body } = await system.client.expect2xx('GET', `/questions/${id}?wait=30`, { key });
    expect(body).toMatchObject({ state: 'answered', choice: 'b', via: 'default', answeredBy: null });
    expect((await post(`/tasks/${taskId}/cancel`, {})).status).toBe(200);
  });
});
