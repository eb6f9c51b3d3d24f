import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { startFakeGithub } from '../github/fake-github.ts';
import { passedBeside, standsFor } from '../github/git-branches.ts';
import type { FakeRepository } from '../github/state.ts';
import { startFakeLinear, type FakeIssue } from '../linear/fake-linear.ts';
import { startFakeSlack } from '../slack/fake-slack.ts';
import { removeFolder, temporaryFolder } from '../processes/folder.ts';
import { createBareOrigin, git } from '../repository/git.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../repository/shell-repository.ts';
import type { RunningSystem, Settings } from './engine.ts';
import { sendLinear, sendSlack } from './chats.ts';
import { deliver, labeledIssue, REPOSITORY, SECRET, SENDER } from './github.ts';

const CHANNEL = 'C0123ABCD';
const ISSUE = 12;
const LINEAR_ISSUE = '7d0b5f5e-0000-4000-8000-000000000007';
/** Where what began on GitHub is told, too: a channel, and an issue to which GitHub's is attached. */
const ALSO = { channel: 'C0456EFGH', issue: '7d0b5f5e-0000-4000-8000-000000000008' };

/** Where work is asked for; each has a repository of its own, so that none waits for another's merge. */
export const SOURCES = ['github', 'linear', 'slack'] as const;
export type Source = (typeof SOURCES)[number];

type Place = { readonly origin: string; readonly repository: FakeRepository };

/** GitHub, Linear and Slack as fakes over HTTP, a repository for work from each, and an agent whose every attempt changes something. */
export async function createJoined() {
  const folder = await temporaryFolder('joined');
  const [github, linear, slack] = await Promise.all([startFakeGithub(), startFakeLinear(), startFakeSlack()]);
  const secret = async (name: string, text: string): Promise<{ file: string }> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return { file: join(folder, name) };
  };
  const places = {} as Record<Source, Place>;
  for (const source of SOURCES) {
    createShellRepository(join(folder, source));
    const origin = createBareOrigin(join(folder, source));
    const repository = github.addRepository(source === 'github' ? REPOSITORY : `acme/${source}`);
    Object.assign(repository, standsFor(origin));
    places[source] = { origin, repository };
  }
  const issues = { linear: linear.addIssue('ENG-7', LINEAR_ISSUE), github: linear.addIssue('ENG-8', ALSO.issue) };
  slack.channels.add(ALSO.channel);
  linear.attachments.push({ url: `https://github.com/${REPOSITORY}/issues/${ISSUE}`, issueId: ALSO.issue });
  const here = { github: null, linear: null, slack: null, ...{ trusted: [SENDER, 'user-1'] } };
  const asked = {
    github: { slack: ALSO.channel, tell: ['slack', 'linear'] as ('slack' | 'linear')[] },
    linear: { linear: 'ENG', trusted: ['linear:ada@example.org', 'user-1'] },
    slack: { slack: CHANNEL, trusted: ['slack:U1', 'user-1'] },
  };
  const settings: Settings = {
    github: { url: github.url, token: await secret('github-token', github.token) },
    linear: {
      url: linear.url,
      token: await secret('linear-token', linear.token),
      states: { review: 'In Review', done: 'Done' },
    },
    slack: {
      ...{ url: slack.url, token: await secret('slack-token', slack.token) },
      reactions: { started: 'eyes', review: 'eyes', done: 'tada' },
    },
    outbound: { privateHosts: [github.host, linear.host, slack.host] },
    webhooks: {
      github: { secrets: [await secret('github-secret', SECRET)] },
      linear: { secrets: [await secret('linear-secret', SECRET)] },
      slack: { secrets: [await secret('slack-secret', SECRET)] },
    },
    repositories: SOURCES.map((source) => ({
      ...{ ...shellRegistration, ...here, ...asked[source] },
      ...{ name: source, url: places[source].origin, merge: 'pull-request' as const, capabilities: ['greeting'] },
      ...{ github: places[source].repository.name, pullRequest: { pollSeconds: 1 } },
    })),
    rules: [
      { name: 'labelled', provider: 'github', label: 'workledger' },
      { name: 'label', provider: 'linear', label: 'workledger' },
      { name: 'mentioned', provider: 'slack', mention: true },
    ],
    agents: [scriptAgent('greeting', `${writeRightGreet}cat > PROMPT; date +%N >> NOTES\n`, { capacity: 3 })],
    sandbox: 'off',
  };

  /** Somebody who is trusted asks for work. @returns the task */
  async function ask({ client }: RunningSystem, source: Source): Promise<string> {
    const url = client.urlOf('/').replace(/\/api\/v1\/?$/, '');
    if (source === 'github') {
      const { body } = await deliver(client, labeledIssue(ISSUE, 'Greet the world'));
      return String(body['taskId']);
    }
    if (source === 'linear') {
      const data = { id: LINEAR_ISSUE, identifier: 'ENG-7', title: 'Greet the sun', team: { key: 'ENG' } };
      const actor = { id: 'ada', email: 'ada@example.org' };
      const body = { action: 'create', actor, data: { ...data, labels: [{ id: 'l1', name: 'workledger' }] } };
      await sendLinear(url, SECRET, 'Issue', body);
      return taskIdOfIssue('linear', 'ENG', LINEAR_ISSUE);
    }
    const text = '<@UBOT> Greet the moon';
    const ts = slack.write(CHANNEL, 'U1', text);
    const event = { type: 'app_mention', user: 'U1', text, ts, channel: CHANNEL, event_ts: ts };
    await sendSlack(url, SECRET, { type: 'event_callback', event_id: 'Ev1', team_id: 'T1', event });
    return taskIdOfIssue('slack', CHANNEL, ts);
  }

  const comments = `^/repos/${REPOSITORY}/issues/${ISSUE}/comments$`;
  /** What was told of it, and how often something was made there. @param at default: where it was asked for */
  function told(source: Source, at: Source = source): { readonly words: readonly string[]; readonly made: number } {
    if (at === 'github') {
      const there = places.github.repository.comments.filter(({ number }) => number === ISSUE);
      return { words: there.map(({ body }) => body), made: github.count('POST', new RegExp(comments)) };
    }
    if (at === 'linear') {
      const of = source === 'linear' ? LINEAR_ISSUE : ALSO.issue;
      const isThere = (comment: unknown): boolean => (comment as { issueId?: string }).issueId === of;
      const made = linear.calls.filter(({ name, data }) => name === 'commentCreate' && isThere(data['input']));
      return { words: linear.comments.filter(isThere).map(({ body }) => body), made: made.length };
    }
    const of = source === 'slack' ? CHANNEL : ALSO.channel;
    const made = slack.calls.filter(({ name, data }) => name === 'chat.postMessage' && data['channel'] === of);
    const there = slack.ours().filter(({ channel }) => channel === of);
    return { words: there.map(({ text }) => text), made: made.length };
  }

  type Change = { readonly call: string; readonly body: Readonly<Record<string, unknown>> };
  /** What was changed on GitHub for a source's work, in its order. */
  const changes = (source: Source): readonly Change[] =>
    github.calls.flatMap(({ method, path, body, status }) => {
      const [, of] = path.split(`/repos/${places[source].repository.name}/`);
      if (method === 'GET' || status >= 300 || of === undefined) return [];
      return [{ call: `${method} ${of}`, body: JSON.parse(body || '{}') as Change['body'] }];
    });
  /** Moves of an issue of Linear, to the states of these ids. */
  const moves = ({ id }: FakeIssue): readonly unknown[] =>
    linear.calls
      .filter(({ name, data }) => name === 'issueUpdate' && data['id'] === id)
      .map(({ data }) => (data['input'] as { readonly stateId?: string }).stateId);
  /** Emoji that were given and taken away. */
  const reactions = (): readonly string[] =>
    slack.calls.flatMap(({ name, data, answer }) =>
      name.startsWith('reactions.') && (answer as { ok: boolean }).ok ? [`${name} ${String(data['name'])}`] : [],
    );

  return {
    ...{ settings, places, ask, told, changes, moves, reactions, issues },
    passedBeside: (source: Source, taskId: string, before: string | null): Promise<string> =>
      passedBeside(places[source].repository, taskId, before, 180),
    prompt: (source: Source, commit: string): string => git(places[source].origin, 'show', `${commit}:PROMPT`),
    trunk: (source: Source): string => git(places[source].origin, 'rev-parse', 'refs/heads/trunk'),
    pullsMade: (source: Source): number =>
      github.count('POST', new RegExp(`^/repos/${places[source].repository.name}/pulls$`)),
    /** A person presses the button. */
    merge: (source: Source, number: number): Promise<number> =>
      github.mergeByPerson(places[source].repository.name, number),
    dispose: async (): Promise<void> => {
      await Promise.all([github.close(), linear.close(), slack.close()]);
      await removeFolder(folder);
    },
  };
}
