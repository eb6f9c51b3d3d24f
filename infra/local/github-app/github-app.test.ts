import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGithub } from '@workledger/sagas/components/github/github.ts';
import { readSecret } from '@workledger/shared/config/load.ts';
import { webAddressOf } from '@workledger/shared/config/outbound.ts';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startFakeGithub } from '../../testing/github/fake-github.ts';
import { startAppFlow } from './flow.ts';
import { makeApp } from './make-app.ts';

/** What a browser makes of the page: where its button posts, and what. */
async function formAt(url: string): Promise<{ readonly action: string; readonly manifest: string }> {
  const page = await fetch(url);
  const html = (await page.text()).replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  expect([page.status, html.match(/<button/g)?.length]).toEqual([200, 1]);
  const [, action = ''] = /action="([^"]+)"/.exec(html) ?? [];
  const [, manifest = ''] = /name="manifest" value="(.+)"><button/.exec(html) ?? [];
  return { action, manifest };
}

/** Presses it. @returns where GitHub sends the person back to */
async function press({ action, manifest }: Awaited<ReturnType<typeof formAt>>): Promise<string> {
  const body = new URLSearchParams({ manifest });
  const answer = await fetch(action, { method: 'POST', body, redirect: 'manual' });
  return answer.headers.get('location') ?? '';
}

async function world(prefix = '') {
  const fake = await startFakeGithub({ prefix });
  const folder = await mkdtemp(join(tmpdir(), 'workledger-app-'));
  onTestFinished(async () => {
    await fake.close();
    await rm(folder, { recursive: true });
  });
  return { fake, folder };
}

test.each([
  ['of a person, on GitHub Enterprise Server', '/api/v3', null],
  ['of an organization', '', 'acme corp'],
])('one button makes an app %s: its login works, and no secret is said', async (_, prefix, organization) => {
  const { fake, folder } = await world(prefix);
  const configurationFile = join(folder, 'workledger.json');
  const before = {
    publicUrl: 'https://ledger.example/',
    outbound: { privateHosts: [fake.host] },
    github: { url: fake.url, token: { env: 'OLD_TOKEN' }, catchUp: null },
    webhooks: { github: { secrets: [{ env: 'OLD_SECRET' }] } },
    port: 1234,
  };
  await writeFile(configurationFile, JSON.stringify(before));
  const lines: string[] = [];
  const making = makeApp({
    ...{ configuration: configurationSchema.parse(before), configurationFile, dataFolder: join(folder, 'data') },
    ...{ organization, url: null, tell: (line: string) => void lines.push(line) },
  });
  while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const [, url = ''] = /open (\S+) in/.exec(lines[0] ?? '') ?? [];

  const back = await press(await formAt(url));
  const [{ path, manifest } = { path: '', manifest: {} }] = fake.manifests.posted;
  expect(path).toBe(`${organization === null ? '' : '/organizations/acme%20corp'}/settings/apps/new`);
  expect(manifest).toEqual({
    ...{ name: 'Workledger ledger.example', url: 'https://ledger.example/', public: false },
    hook_attributes: { url: 'https://ledger.example/api/v1/webhooks/github', active: true },
    redirect_url: `${url}callback`,
    default_permissions: {
      ...{ actions: 'read', checks: 'write', contents: 'write', issues: 'write', metadata: 'read' },
      ...{ pull_requests: 'write', statuses: 'write' },
    },
    default_events: ['check_suite', 'issue_comment', 'issues', 'pull_request', 'pull_request_review', 'repository'],
  });
  const sentOn = await fetch(back, { redirect: 'manual' });
  expect([sentOn.status, sentOn.headers.get('location')]).toEqual([
    303,
    `http://${fake.host}/apps/workledger-test/installations/new`,
  ]);
  await making;

  const written = JSON.parse(await readFile(configurationFile, 'utf8')) as typeof before;
  expect(written).toEqual({
    ...before,
    github: { url: fake.url, catchUp: null, app: { id: 7, key: { file: 'data/github-app/7.private-key.pem' } } },
    webhooks: { github: { secrets: [{ file: 'data/github-app/7.webhook-secret' }, { env: 'OLD_SECRET' }] } },
  });
  for (const name of ['7.private-key.pem', '7.webhook-secret'])
    expect((await stat(join(folder, 'data/github-app', name))).mode & 0o777).toBe(0o600);
  const secret = await readSecret({ file: 'data/github-app/7.webhook-secret' }, { place: 'it', folder });
  expect(secret).toBe(fake.manifests.webhookSecret);
  const github = await openGithub(configurationSchema.parse(written), folder);
  expect(await github?.login(new AbortController().signal)).toBe('workledger-test[bot]');
  const said = [...lines, await sentOn.text(), JSON.stringify(written)].join('\n');
  for (const hidden of [secret, fake.privateKey.slice(40, 80), 'client secret']) expect(said).not.toContain(hidden);
  expect(fake.count('POST', /conversions/)).toBe(1);
});

describe('an answer makes no app', () => {
  async function flowWorld() {
    const { fake } = await world();
    const kept: number[] = [];
    let now = 0;
    const flow = await startAppFlow({
      ...{ api: fake.url, organization: null, publicUrl: 'https://ledger.example', privateHosts: [fake.host] },
      keep: ({ id }) => Promise.resolve(void kept.push(id)),
      now: () => now,
    });
    onTestFinished(() => flow.close());
    const told = async (url: string): Promise<string> => {
      const answer = await fetch(url, { redirect: 'manual' });
      return `${answer.status} ${/<p>(.*?)<\/p>/.exec(await answer.text())?.[1] ?? ''}`;
    };
    const back = async (): Promise<string> => press(await formAt(flow.url));
    return { fake, flow, kept, told, back, wait: (milliseconds: number) => (now += milliseconds) };
  }

  test('of a state that was never given, or that is used, or too old', async () => {
    const { fake, flow, kept, told, back, wait } = await flowWorld();
    expect(await told(`${flow.url}callback?code=abc&state=made-up`)).toMatch(/^400 this answer does not belong/);
    const first = await back();
    expect(await told(first)).toMatch(/^303/);
    expect(await told(first)).toMatch(/^410 this answer was used already/);
    const second = await back();
    wait(3_600_001);
    expect(await told(second)).toMatch(/^410 this answer came more than an hour late/);
    expect([kept, fake.count('POST', /conversions/)]).toEqual([[7], 1]);
  });

  test('that GitHub refuses, or that names no code: one begins again', async () => {
    const { fake, flow, kept, told, back } = await flowWorld();
    const url = new URL(await back());
    url.searchParams.set('code', 'another');
    expect(await told(url.href)).toBe('502 GitHub refuses the code (Not Found)');
    const without = new URL(await back());
    without.searchParams.delete('code');
    expect(await told(without.href)).toMatch(/^400 GitHub sent no code/);
    expect(kept).toEqual([]);
    expect(await told(await back())).toMatch(/^303/);
    expect([kept, fake.count('POST', /conversions/)]).toEqual([[7], 2]);
    expect(await told(`${flow.url}other`)).toMatch(/^404/);
  });
});

test('without an address at which GitHub reaches us no app is made', async () => {
  const configuration = configurationSchema.parse({});
  const place = { configurationFile: 'x', dataFolder: 'y', organization: null, url: null, tell: () => undefined };
  await expect(makeApp({ configuration, ...place })).rejects.toThrow(/publicUrl/);
});

test.each([
  ['https://api.github.com', 'https://github.com'],
  ['https://ghe.example.org/api/v3', 'https://ghe.example.org'],
  ['https://api.acme.ghe.com', 'https://acme.ghe.com'],
])('people use what has its API at %s at %s', (api, web) => expect(webAddressOf(api)).toBe(web));
