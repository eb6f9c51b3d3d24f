import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeGithub } from '../testing/github/fake-github.ts';
import type { FakeRepository } from '../testing/github/state.ts';
import { startFakeLinear } from '../testing/linear/fake-linear.ts';
import { startFakeSlack, type FakeMessage } from '../testing/slack/fake-slack.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { until, untilTrue } from '../testing/processes/until.ts';
import { createBareOrigin, git } from '../testing/repository/git.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';
import { sendLinear, sendSlack } from '../testing/system/chats.ts';
import { deliver, labeledIssue, REPOSITORY, SECRET, SENDER, signed } from '../testing/system/github.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { finalTask } from '../testing/system/tasks.ts';

const CHANNEL = 'C0123ABCD';
const [SLACK_SECRET, LINEAR_SECRET] = ['a secret of Slack', 'a secret of Linear'];

let folder: SystemFolder;
let origin: string;
let slack: Awaited<ReturnType<typeof startFakeSlack>>;
let linear: Awaited<ReturnType<typeof startFakeLinear>>;
let issues: FakeRepository;
let github: Awaited<ReturnType<typeof startFakeGithub>>;
let system: RunningSystem;

const configuration = () => ({
  slack: {
    ...{ url: slack.url, token: { file: 'slack-token' } },
    reactions: { started: 'eyes', done: 'white_check_mark' },
  },
  linear: {
    ...{ url: linear.url, token: { file: 'linear-token' } },
    states: { started: 'In Progress', review: 'In Review', done: 'Done' },
  },
  github: { url: github.url, token: { file: 'github-token' } },
  outbound: { privateHosts: [slack.host, linear.host, github.host] },
  webhooks: {
    slack: { secrets: [{ file: 'slack-secret' }] },
    linear: { secrets: [{ file: 'linear-secret' }] },
    github: { secrets: [{ file: 'github-secret' }] },
  },
  publicUrl: 'https://ledger.example.org',
  repositories: [
    {
      ...{ ...shellRegistration, url: origin, merge: 'fast-forward', approval: 'before-merge' },
      ...{
        slack: CHANNEL,
        github: REPOSITORY,
        linear: 'ENG',
        trusted: ['slack:U1', 'slack:U3', 'linear:ada@example.org', SENDER],
        capabilities: ['greeting'],
      },
    },
  ],
  rules: [
    { name: 'mentioned', provider: 'slack', mention: true },
    { name: 'label', provider: 'linear', label: 'workledger' },
    { name: 'labelled', provider: 'github', label: 'workledger' },
  ],
  agents: [scriptAgent('greeting', `${writeRightGreet}cat > PROMPT; date +%N >> NOTES\n`)],
});

beforeAll(async () => {
  folder = await systemFolder();
  const person = join(folder.path, 'person');
  createShellRepository(person);
  origin = createBareOrigin(person);
  slack = await startFakeSlack();
  linear = await startFakeLinear();
  github = await startFakeGithub();
  issues = github.addRepository(REPOSITORY);
  await writeFile(join(folder.path, 'github-token'), github.token);
  await writeFile(join(folder.path, 'github-secret'), SECRET);
  await writeFile(join(folder.path, 'slack-token'), slack.token);
  await writeFile(join(folder.path, 'linear-token'), linear.token);
  await writeFile(join(folder.path, 'slack-secret'), SLACK_SECRET);
  await writeFile(join(folder.path, 'linear-secret'), LINEAR_SECRET);
  system = await startInFolder(folder.path, configuration());
}, 60_000);
afterAll(async () => {
  await folder.remove();
  await slack.close();
  await linear.close();
  await github.close();
});

let events = 0;

/** Somebody mentions the app in the channel. @returns the task, and the message */
async function mention(words: string, thread?: string, user = 'U1'): Promise<{ id: string; ts: string }> {
  const text = `<@UBOT> ${words}`;
  const ts = slack.write(CHANNEL, user, text, thread);
  const event = { type: 'app_mention', user, text, ts, channel: CHANNEL, event_ts: ts };
  const sent = await sendSlack(system.url, SLACK_SECRET, {
    ...{ type: 'event_callback', event_id: `Ev${++events}`, team_id: 'T1' },
    event: { ...event, ...(thread !== undefined && { thread_ts: thread }) },
  });
  expect(sent.status).toBe(200);
  return { id: taskIdOfIssue('slack', CHANNEL, thread ?? ts), ts };
}

/** The button, as it stays on the screen of somebody who does not look. */
function buttonOf(message: FakeMessage, label: string): string {
  const elements = message.blocks.find(({ type }) => type === 'actions')?.elements ?? [];
  return elements.find(({ value }) => value.endsWith(`/${label}`))?.value ?? '';
}

/** Somebody presses a button. */
async function press(value: string, user = 'U1'): Promise<void> {
  const body = { type: 'block_actions', trigger_id: `press.${++events}`, team: { id: 'T1' }, user: { id: user } };
  const actions = [{ action_id: 'workledger:answer:0', value }];
  const sent = await sendSlack(system.url, SLACK_SECRET, { ...body, channel: { id: CHANNEL }, actions }, 'interactive');
  expect(sent.status).toBe(200);
  expect(sent.milliseconds, 'Slack waits for three seconds').toBeLessThan(3_000);
}

const inThread = (ts: string): FakeMessage[] => slack.ours().filter(({ thread_ts }) => thread_ts === ts);
const about = (ts: string, name: string): FakeMessage | undefined =>
  inThread(ts).find(({ metadata }) => String(metadata?.event_payload['about']).startsWith(name));
const hasButtons = (message: FakeMessage | undefined): message is FakeMessage =>
  message?.blocks.some(({ type }) => type === 'actions') === true;

describe('a thread of Slack', { timeout: 120_000 }, () => {
  test('has one message that says how far its task is, and is asked, over kill -9, by buttons', async () => {
    // The process dies after Slack did what it was asked for, and before that is known here.
    slack.fail('chat.postMessage', { kind: 'hang-after' });
    const { id, ts } = await mention('Greet the world <now>');
    await untilTrue(() => Promise.resolve(slack.count('chat.postMessage') === 1), 60);
    system.program.signal('SIGKILL');
    await system.program.ended;
    system = await startInFolder(folder.path, configuration());

    const asked = await until('its approval', () => {
      const message = about(ts, 'question/');
      return Promise.resolve(hasButtons(message) && message);
    });
    expect(asked.text).toContain('waits for somebody to approve it');
    const approve = buttonOf(asked, 'approve');
    await press(approve, 'U2');
    await untilTrue(() => Promise.resolve(about(ts, 'untrusted/') !== undefined), 30);
    expect(about(ts, 'untrusted/')?.text).toMatch(/^<@U2> Only those who are trusted/);
    await press(approve, 'U2');
    await press(approve);
    await press(approve);
    expect(await finalTask(system.client, id)).toMatchObject({ state: 'complete', result: { merged: true } });

    await untilTrue(() => Promise.resolve(about(ts, 'task')?.text.includes('It is done, and merged') === true), 30);
    expect(about(ts, 'task')?.text).toContain('*Greet the world &lt;now&gt;*');
    expect(about(ts, 'task')?.text).toContain(`<https://ledger.example.org/api/v1/tasks/${id}|The task>`);
    await untilTrue(
      () => Promise.resolve(about(ts, 'question/')?.text.includes('Answered: approve, by U1.') === true),
      30,
    );
    expect(hasButtons(about(ts, 'question/'))).toBe(false);
    await untilTrue(
      () => Promise.resolve(slack.messages.find((each) => each.ts === ts)?.reactions.has('white_check_mark') === true),
      30,
    );
    expect([...(slack.messages.find((each) => each.ts === ts)?.reactions ?? [])]).toEqual(['white_check_mark']);
    expect(inThread(ts).map(({ metadata }) => String(metadata?.event_payload['about']).split('/')[0])).toEqual([
      ...['task', 'question', 'untrusted'],
    ]);
    expect(slack.count('chat.postMessage'), 'each was posted once').toBe(3);
    const answered = await system.client.expect2xx('GET', `/questions?taskId=${id}`);
    expect(answered.body['items']).toEqual([
      expect.objectContaining({ choice: 'approve', via: 'slack', answeredBy: 'slack:U1' }),
    ]);
  });

  test('is answered by words in it, which go to the agent; who comes late is told', async () => {
    const { id, ts } = await mention('Greet the moon');
    const first = await until('its approval', () => {
      const message = about(ts, 'question/');
      return Promise.resolve(hasButtons(message) && message);
    });
    const approve = buttonOf(first, 'approve');
    await mention('send-back Greet it in French.', ts);
    const again = await until('another approval', () => {
      const message = inThread(ts).find((each) => each !== first && hasButtons(each));
      return Promise.resolve<false | FakeMessage>(message ?? false);
    });
    await press(approve, 'U3');
    await untilTrue(() => Promise.resolve(about(ts, 'late/') !== undefined), 30);
    expect(about(ts, 'late/')?.text).toMatch(/^<@U3> That changes nothing: this question was answered before/);
    await press(buttonOf(again, 'approve'));
    const done = await finalTask(system.client, id);
    expect(git(origin, 'show', `${done.result?.commit}:PROMPT`)).toContain('Greet it in French.');
  });
});

describe('an issue of Linear', { timeout: 120_000 }, () => {
  test('has one comment that says how far its task is, and its state follows', async () => {
    const issueId = '7d0b5f5e-0000-4000-8000-000000000007';
    const issue = linear.addIssue('ENG-7', issueId);
    const sender = { actor: { id: 'ada', email: 'ada@example.org' } };
    const data = { id: issueId, identifier: 'ENG-7', title: 'Greet the sun', team: { key: 'ENG' } };
    const labels = [{ id: 'l1', name: 'workledger' }];
    expect(
      await sendLinear(system.url, LINEAR_SECRET, 'Issue', { action: 'create', ...sender, data: { ...data, labels } }),
    ).toBe(200);
    const id = taskIdOfIssue('linear', 'ENG', issueId);
    await untilTrue(() => Promise.resolve(issue.state.name === 'In Review' && linear.comments.length === 2), 60);
    const [task, question] = linear.comments;
    expect(task?.body).toContain('waits for somebody to approve it');
    expect(question?.body).toContain('`@workledger approve`');
    const comment = { issueId, issue: { ...data, labels: undefined } };
    const said = { action: 'create', ...sender };
    const spoken = { ...said, data: { id: 'c1', body: '@workledger approve', ...comment } };
    expect(await sendLinear(system.url, LINEAR_SECRET, 'Comment', spoken)).toBe(200);
    expect(await finalTask(system.client, id)).toMatchObject({ state: 'complete' });
    await untilTrue(() => Promise.resolve(issue.state.name === 'Done'), 30);
    expect(task?.body).toContain('It is done, and merged');
    await untilTrue(() => Promise.resolve(question?.body.includes('Answered: approve, by ada.') === true), 30);
    expect([linear.comments.length, linear.count('commentCreate'), linear.count('issueUpdate')]).toEqual([2, 2, 3]);
  });
});

describe('an issue of GitHub', { timeout: 120_000 }, () => {
  test('has one comment and one label that say how far its task is, is asked in another comment, and answered', async () => {
    const { body } = await deliver(system.client, labeledIssue(12, 'Greet the stars'));
    const id = String(body['taskId']);
    const asked = () =>
      issues.comments.find((comment) => comment.body.includes('It waits for somebody to approve it:'));
    await untilTrue(() => Promise.resolve(asked() !== undefined), 60);
    expect(issues.labels.get(12)).toEqual(['workledger:working']);
    expect(asked()?.body).toContain('`@workledger approve`');
    const say = async (login: string, words: string) => {
      const told = { action: 'created', issue: { number: 12 }, comment: { body: words }, sender: { login } };
      const delivery = signed(JSON.stringify({ ...told, repository: { full_name: REPOSITORY } }), 'issue_comment');
      return (await deliver(system.client, delivery)).body;
    };
    expect(await say('eve', '@workledger approve')).toMatchObject({ outcome: 'ignored' });
    await untilTrue(
      () => Promise.resolve(issues.comments.some((comment) => comment.body.includes('@eve Only those'))),
      30,
    );
    expect(await say(SENDER, '@workledger approve')).toMatchObject({ outcome: 'routed', taskId: id });
    const { result } = await finalTask(system.client, id);
    await untilTrue(
      () => Promise.resolve(issues.comments.some((comment) => comment.body.includes('Answered: approve, by ada.'))),
      30,
    );
    await untilTrue(() => Promise.resolve(issues.labels.get(12)?.join() === 'workledger:done'), 30);
    const [told] = issues.comments.filter((comment) => comment.body.includes('about=task '));
    expect(told?.body).toContain(`It is done, and merged: ${result?.commit}`);
    expect(told?.body).toContain(`[The task](https://ledger.example.org/api/v1/tasks/${id})`);
    expect(github.count('POST', /\/issues\/12\/comments$/)).toBe(3);
  });
});
