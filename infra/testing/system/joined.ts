import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { startFakeGithub } from '../github/fake-github.ts';
import { passedBeside, standsFor } from '../github/git-branches.ts';
import type { FakeRepository } from '../github/state.ts';
import { startFakeLinear } from '../linear/fake-linear.ts';
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
  const issue = linear.addIssue('ENG-7', LINEAR_ISSUE);
  const here = { github: null, linear: null, slack: null, ...{ trusted: [SENDER, 'user-1'] } };
  const asked = {
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
    slack: { url: slack.url, token: await secret('slack-token', slack.token) },
    outbound: { privateHosts: [github.host, linear.host, slack.host] },
    webhooks: {
      github: { secrets: [await secret('github-secret', SECRET)] },
      linear: { secrets: [await secret('linear-secret', SECRET)] },
      slack: { secrets: [await secret('slack-secret', SECRET)] },
    },
    repositories: SOURCES.map((source) => ({
      ...{ ...shellRegistration, ...here, ...(source === 'github' ? {} : asked[source]) },
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

  /** What was told where the work was asked for. */
  const told = (source: Source): readonly string[] => {
    if (source === 'github')
      return places.github.repository.comments.filter(({ number }) => number === ISSUE).map(({ body }) => body);
    return source === 'linear' ? linear.comments.map(({ body }) => body) : slack.ours().map(({ text }) => text);
  };
  /** How often something was made there. */
  const made = (source: Source): number => {
    if (source === 'github') return github.count('POST', new RegExp(`^/repos/${REPOSITORY}/issues/${ISSUE}/comments$`));
    return source === 'linear' ? linear.count('commentCreate') : slack.count('chat.postMessage');
  };

  return {
    ...{ settings, places, ask, told, made, issue },
    passedBeside: (source: Source, taskId: string, before: string | null): Promise<string> =>
      passedBeside(places[source].repository, taskId, before, 180),
    prompt: (source: Source, commit: string): string => git(places[source].origin, 'show', `${commit}:PROMPT`),
    trunk: (source: Source): string => git(places[source].origin, 'rev-parse', 'refs/heads/trunk'),
    pullsMade: (source: Source): number =>
      github.count('POST', new RegExp(`^/repos/${places[source].repository.name}/pulls$`)),
    /** A person presses the button. */
    merge: async (source: Source, number: number): Promise<number> => {
      const headers = { Authorization: `Bearer ${github.token}` };
      const path = `/repos/${places[source].repository.name}/pulls/${number}/merge`;
      return (await fetch(`${github.url}${path}`, { method: 'PUT', headers, body: '{}' })).status;
    },
    dispose: async (): Promise<void> => {
      await Promise.all([github.close(), linear.close(), slack.close()]);
      await removeFolder(folder);
    },
  };
}
