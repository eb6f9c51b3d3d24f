import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigurationError } from './faults.ts';
import { loadConfiguration, parseConfiguration, readSecret } from './load.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'configuration-'));
});
afterAll(() => rm(folder, { recursive: true }));

const faultsOf = (value: unknown): readonly string[] => {
  try {
    parseConfiguration(JSON.stringify(value), 'w.json');
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
};

const repository = { name: 'shop', url: '/srv/shop.git', test: ['npm', 'test'] };

describe('loading', () => {
  test('without a file and without a path there are the defaults, and paths start at the working folder', async () => {
    const loaded = await loadConfiguration(undefined, folder);
    expect(loaded.folder).toBe(folder);
    expect(loaded.configuration).toMatchObject({ host: '127.0.0.1', port: 8080, repositories: [], agents: [] });
  });

  test('a path that is named must exist', async () => {
    await expect(loadConfiguration('absent.json', folder)).rejects.toThrow(/absent\.json: no such file → create it/);
  });

  test('a file is read, a byte order mark is allowed, and relative paths start at its folder', async () => {
    const file = join(folder, 'named.json');
    await writeFile(file, '\uFEFF{ "port": 9000 }');
    const loaded = await loadConfiguration(file, '/');
    expect(loaded).toMatchObject({ folder, configuration: { port: 9000 } });
  });

  test('a repository at a relative path is looked for from the folder of the file, an address is left as it is', async () => {
    const urls = [
      'shop',
      '../shop.git',
      './a b',
      '/srv/shop',
      'https://example.org/a/b',
      'git@example.org:a/b',
      'c:\\shop',
    ];
    const repositories = urls.map((url, index) => ({ ...repository, name: `shop-${index}`, url }));
    await writeFile(join(folder, 'relative.json'), JSON.stringify({ repositories }));
    const { configuration } = await loadConfiguration('relative.json', folder);
    expect(configuration.repositories.map(({ url }) => url)).toEqual([
      join(folder, 'shop'),
      join(folder, '../shop.git'),
      join(folder, 'a b'),
      ...urls.slice(3),
    ]);
  });

  test('text that is no JSON is named as such', () => {
    expect(() => parseConfiguration('{ port: 1 }', 'w.json')).toThrow(/^w\.json: .* → make it valid JSON$/);
  });
});

describe('faults', () => {
  test('an unknown field is told with those that there are', () => {
    expect(faultsOf({ limits: {}, agents: [{ name: 'a', command: ['x'], capcity: 2 }] })).toEqual([
      expect.stringMatching(
        /^agents\[0\]\.capcity: unknown field → remove it, or use one of: name, profile, command, options, capabilities, /,
      ),
      expect.stringMatching(/^limits: unknown field → remove it, or use one of: \$schema, host, port/),
    ]);
  });

  test('a wrong value is told with its path, itself and what is wanted', () => {
    expect(faultsOf({ port: 70_000 })).toEqual(['port: 70000 → too big: expected number to be <=65535']);
    expect(faultsOf({ repositories: [{ name: 'shop', url: 'x' }] })).toEqual([
      'repositories[0].test: missing → invalid input: expected array, received undefined',
    ]);
  });

  test('every fault has its own line', () => {
    expect(faultsOf({ port: 'x', host: '', logLevel: 'loud' })).toHaveLength(3);
  });

  test('a secret that stands in the file itself is refused without being repeated', () => {
    const faults = faultsOf({ webhooks: { github: { secrets: ['hunter2-hunter2'] } } });
    expect(faults).toEqual([expect.stringContaining('webhooks.github.secrets[0]: a string → use {"env": "NAME"}')]);
    expect(faults.join()).not.toContain('hunter2');
  });

  test('a token that stands in the file itself is refused likewise', () => {
    const [fault] = faultsOf({ github: { token: 'ghp_abcdefghijklmnopqrstuvwxyz' } });
    expect(fault).toMatch(/^github\.token: a string → use \{"env": "NAME"\} or/);
  });

  test('a password in a URL is not repeated', () => {
    const faults = faultsOf({ repositories: [{ ...repository, github: 'https://me:hunter2@github.com/a/b' }] });
    expect(faults).toHaveLength(1);
    expect(faults.join()).not.toContain('hunter2');
  });
});

describe('what asks for work', () => {
  test.each([
    ['another provider', { provider: 'gitlab' }, 'rules[0].provider: "gitlab" → use one of: github, linear, slack'],
    [
      'a field of another provider',
      { provider: 'linear', reaction: 'x', label: 'y' },
      'rules[0].reaction: unknown field → remove it, or use one of: name, provider, label, assignee, mention, team, priority',
    ],
    [
      'nothing that asks',
      { provider: 'linear' },
      'rules[0]: {"provider":"linear","name":"a rule"} → say by one of these how work is asked for: label, assignee, mention',
    ],
    [
      'two ways at once',
      { provider: 'slack', mention: true, command: '/x' },
      'rules[0]: {"provider":"slack","mention":true,"command":"/x","name":"a-rule"} → say by one of these',
    ],
    [
      'an emoji with colons',
      { provider: 'slack', reaction: ':x:' },
      'rules[0].reaction: ":x:" → the name of an emoji, without its colons',
    ],
    [
      'a command without a slash',
      { provider: 'slack', command: 'x' },
      'rules[0].command: "x" → a slash and a name, such as /workledger',
    ],
  ])('by a rule with %s is told what is wrong', (_, rule, fault) => {
    expect(faultsOf({ rules: [{ ...rule, name: 'a-rule' }] })).toEqual([
      expect.stringContaining(fault.replace('a rule', 'a-rule')),
    ]);
  });

  test.each([
    [{ linear: 'Engineering team' }, 'the key of a team, such as ENG'],
    [{ slack: '#shop' }, 'the id of a channel, such as C0123ABCD (not its name)'],
    [
      { trusted: ['slack:@ada'] },
      'a login of GitHub, linear:<e-mail or id>, slack:<member id>, or <provider of a plugin>:<name>',
    ],
  ])('at a place of %j is told what a place or a person is called', (change, remedy) => {
    expect(faultsOf({ repositories: [{ ...repository, ...change }] })).toEqual([expect.stringContaining(remedy)]);
  });

  test('by "tell" names a channel, and has a login where it is told', () => {
    const tell = { repositories: [{ ...repository, tell: ['slack', 'linear'] }] };
    expect(faultsOf(tell)).toEqual([
      'slack: null → give token: repositories[0].tell needs a login',
      'repositories[0].slack: null → say a channel: "tell" needs it',
      'linear: null → give token: repositories[0].tell needs a login',
    ]);
    const token = { env: 'TOKEN' };
    const whole = { ...repository, slack: 'C0123ABCD', tell: ['slack', 'linear'] };
    expect(faultsOf({ slack: { token }, linear: { token }, repositories: [whole] })).toEqual([]);
  });

  test('by rules of all three is understood', () => {
    const rules = [
      { name: 'a', provider: 'github' },
      { name: 'b', provider: 'linear', assignee: 'robot@acme.example', team: 'ENG' },
      { name: 'c', provider: 'slack', reaction: '+1' },
    ];
    const trusted = ['ada', 'linear:ada@acme.example', 'slack:U0123', 'slack:T1/U2'];
    expect(
      faultsOf({ rules, repositories: [{ ...repository, trusted, linear: 'ENG/Search 2', slack: 'C0123' }] }),
    ).toEqual([]);
  });
});

describe('cross checks', () => {
  test('names are unique', () => {
    const agent = { name: 'a', command: ['x'] };
    expect(faultsOf({ repositories: [repository, repository], agents: [agent, agent] })).toEqual([
      'repositories[1].name: "shop" → repositories[0] has it already; use another',
      'agents[1].name: "a" → agents[0] has it already; use another',
    ]);
  });

  test('two repositories cannot stand for the same one on GitHub, whatever its case', () => {
    const twice = [
      { ...repository, github: 'Acme/Shop' },
      { ...repository, name: 'shop2', github: 'acme/shop' },
    ];
    expect(faultsOf({ repositories: twice })).toEqual([expect.stringMatching(/^repositories\[1\]\.github: /)]);
  });

  test('an agent that a repository names exists', () => {
    expect(faultsOf({ repositories: [{ ...repository, agent: 'nobody' }] })).toEqual([
      'repositories[0].agent: "nobody" → add an agent of this name to agents, or use null',
    ]);
  });

  test('GitHub is spoken to by a token or as an app, and never in the clear where others could listen', () => {
    const token = { env: 'GITHUB_TOKEN' };
    const app = { id: 7, key: { file: 'app.pem' } };
    expect(faultsOf({ github: { token } })).toEqual([]);
    expect(faultsOf({ github: { app } })).toEqual([]);
    expect(faultsOf({ github: {} })).toEqual(['github: neither token nor app → give one of them']);
    expect(faultsOf({ github: { token, app } })).toEqual(['github: token and app → give one of them']);
    const github = { url: 'http://ghe.example:8080/api/v3', token };
    expect(faultsOf({ github })).toEqual([expect.stringMatching(/without TLS → .*"ghe\.example:8080"/)]);
    expect(faultsOf({ github, outbound: { privateHosts: ['GHE.example:8080'] } })).toEqual([]);
    expect(faultsOf({ github: { token, url: 'https://user:word@ghe.example/api' } })).toEqual([
      expect.stringMatching(/github\.url: more than an address/),
    ]);
  });

  test('hosts that may be called are named exactly', () => {
    expect(faultsOf({ outbound: { allowHosts: ['api.example:443', '[::1]:80'] } })).toEqual([]);
    for (const host of ['api.example', '*.example:443', 'https://api.example:443', 'api.example:443/x'])
      expect(faultsOf({ outbound: { allowHosts: [host] } })).toEqual([
        expect.stringMatching(/name:port, address:port/),
      ]);
  });

  test('evolution needs an evaluate command', () => {
    const evolve = { metric: 'milliseconds', direction: 'minimize' };
    expect(faultsOf({ repositories: [{ ...repository, evolve }] })).toEqual([
      expect.stringMatching(
        /^repositories\[0\]\.evaluate: null → give the command that prints the metric "milliseconds"/,
      ),
    ]);
  });
});

describe('secrets', () => {
  const options = { place: 'webhooks.github.secrets[0]', environment: { HOOK: 's3cret', EMPTY: '' } };

  test('come from the environment', async () => {
    expect(await readSecret({ env: 'HOOK' }, { ...options, folder })).toBe('s3cret');
  });

  test('come from a file, whose closing line break does not count', async () => {
    await writeFile(join(folder, 'hook'), 'two words\n');
    expect(await readSecret({ file: 'hook' }, { ...options, folder })).toBe('two words');
  });

  test('that are absent or empty are an error, never an open door', async () => {
    await writeFile(join(folder, 'empty'), '\n');
    for (const source of [{ env: 'ABSENT' }, { env: 'EMPTY' }, { file: 'absent' }, { file: 'empty' }])
      await expect(readSecret(source, { ...options, folder })).rejects.toThrow(ConfigurationError);
  });
});
