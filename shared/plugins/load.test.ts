import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ConfigurationError } from '../config/faults.ts';
import { parseConfiguration } from '../config/load.ts';
import type { Deprecation } from './deprecations.ts';
import { describePlugin, findPlugins, loadPlugins } from './load.ts';

const manifest = {
  ...{ name: 'echo', version: '1.2.3', interface: 1, description: 'Says it again', main: 'plugin.mjs' },
  provides: { handlers: ['hear'] },
  configuration: {
    type: 'object',
    properties: { times: { type: 'integer', minimum: 1, default: 2 } },
    additionalProperties: false,
  },
  secrets: ['token'],
};
const CODE = `export default (context) => ({ handlers: { hear: { types: ['TaskCreated'], handle: async () => context } } });`;
const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workledger-plugins-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await put('echo', manifest, CODE);
});

async function put(place: string, told: object | string, code: string): Promise<void> {
  const file = join(folder, place, 'workledger-plugin.json');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof told === 'string' ? told : JSON.stringify(told));
  await writeFile(join(folder, place, 'plugin.mjs'), code);
}
const configured = (...plugins: object[]) => parseConfiguration(JSON.stringify({ plugins }), 'workledger.json');
const faultsOf = async (...plugins: object[]): Promise<readonly string[]> => {
  const error: unknown = await loadPlugins(configured(...plugins), folder, logger).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigurationError)) throw new Error('it was loaded', { cause: error });
  return error.message.replaceAll(folder, '~').split('\n');
};

test('a plugin of a folder gets its configuration with defaults, and its secrets, read', async () => {
  await writeFile(join(folder, 'token'), 'hush\n');
  const [plugin] = await loadPlugins(
    configured({ from: './echo', secrets: { token: [{ file: 'token' }] } }),
    folder,
    logger,
  );
  expect(plugin?.manifest).toMatchObject({ name: 'echo', provides: { handlers: ['hear'], components: [] } });
  expect(await plugin?.parts.handlers['hear']?.handle({} as never, {} as never)).toMatchObject({
    configuration: { times: 2 },
    secrets: { token: ['hush'] },
  });
});

test('one that is an installed package is found beside the configuration', async () => {
  await put('node_modules/workledger-echo', manifest, CODE);
  await writeFile(join(folder, 'node_modules/workledger-echo/package.json'), '{"name":"workledger-echo"}');
  expect(await findPlugins(configured({ from: 'workledger-echo' }), folder)).toHaveLength(1);
});

test('one that is not enabled is not even looked for', async () => {
  expect(await loadPlugins(configured({ from: './nowhere', enabled: false }), folder, logger)).toEqual([]);
});

test('what one uses and is to go is warned of once at the start, and listed', async () => {
  const goes = { goesWith: '0.3', notBefore: '2027-03-01' };
  const deprecations: Deprecation[] = [
    { what: 'interface 1', isUsed: ({ manifest }) => manifest.interface === 1, ...goes, instead: 'use interface 2' },
    { what: 'hear', isUsed: ({ parts }) => parts?.handlers['hear'] !== undefined, ...goes, instead: 'listen' },
    { what: 'middleware', isUsed: ({ manifest }) => manifest.provides.middleware.length > 0, ...goes, instead: 'none' },
  ];
  const { logger: captured, lines } = captureLog();
  await loadPlugins(configured({ from: './echo' }), folder, captured, deprecations);
  expect(lines().map(({ plugin, deprecated }) => [plugin, deprecated])).toEqual([
    ['echo', 'interface 1 goes with Workledger 0.3, not before 2027-03-01 → use interface 2'],
    ['echo', 'hear goes with Workledger 0.3, not before 2027-03-01 → listen'],
  ]);
  const [found] = await findPlugins(configured({ from: './echo' }), folder);
  expect(describePlugin(found!, deprecations).at(-1)).toMatch(
    /^ {2}deprecated: interface 1 goes with .* → use interface 2$/,
  );
  expect(describePlugin(found!).join()).not.toContain('deprecated');
});

describe('is refused in words', () => {
  test.each<[string, object, RegExp]>([
    [
      'no such folder',
      { from: './nowhere' },
      /^plugins\[0\]: from: ~\/nowhere\/.*: ENOENT → name a folder that has it$/,
    ],
    ['no such package', { from: 'nothing' }, /^plugins\[0\]: from: no package "nothing" .* → npm install it there/],
    [
      'a configuration that it does not know',
      { from: './echo', configuration: { time: 1 } },
      /^plugins\[0\]: configuration: must NOT have additional properties \(time\)$/,
    ],
    [
      'a wrong configuration',
      { from: './echo', configuration: { times: 0 } },
      /^plugins\[0\]: configuration\.times: must be >= 1$/,
    ],
    [
      'a secret that it does not ask for',
      { from: './echo', secrets: { key: [{ env: 'KEY' }] } },
      /secrets\.key: plugin "echo" asks for no such secret → one of: token$/,
    ],
    [
      'a secret that is not there',
      { from: './echo', secrets: { token: [{ file: 'none' }] } },
      /^plugins\[0\]\.secrets\.token\[0\]: ~\/none: ENOENT/,
    ],
  ])('%s', async (_, plugin, wanted) => {
    expect(await faultsOf(plugin)).toEqual([expect.stringMatching(wanted)]);
  });

  test('the same twice', async () => {
    const faults = await faultsOf({ from: './echo' }, { from: './echo' });
    expect(faults).toEqual(['plugins[1]: from: a plugin named "echo" is there already → remove one of them']);
  });

  test.each<[string, object | string, string, RegExp]>([
    ['a manifest that is no JSON', '{', CODE, /workledger-plugin\.json: .*JSON.* → make it valid JSON$/],
    [
      'another interface',
      { ...manifest, interface: 2 },
      CODE,
      /interface: interface 2 is not spoken here: use a version of the plugin for interface 1$/,
    ],
    [
      'a module outside of its folder',
      { ...manifest, main: '../plugin.mjs' },
      CODE,
      /main: a module of its own folder/,
    ],
    [
      'a name that is Workledger’s own',
      { ...manifest, provides: { providers: ['github'] } },
      CODE,
      /provides\.providers\.0: /,
    ],
    [
      'another set of parts than it tells',
      { ...manifest, provides: {} },
      CODE,
      /plugin\.mjs brings handlers hear, its manifest tells \(none\)$/,
    ],
    [
      'code that does not load',
      manifest,
      'nonsense(',
      /plugin\.mjs cannot be loaded: .* → mend it, or set "enabled": false$/,
    ],
    ['code without a function', manifest, 'export default 1', /cannot be loaded: its default export is no function/],
    [
      'a schema that is none',
      { ...manifest, configuration: { type: 'nothing' } },
      CODE,
      /configuration: the plugin's own schema is none: .* → tell who made it$/,
    ],
  ])('%s', async (_, told, code, wanted) => {
    await put('odd', told, code);
    expect(await faultsOf({ from: './odd' })).toEqual([expect.stringMatching(wanted)]);
  });

  test('a repository that is none, and a rule that says nothing', () => {
    expect(() => configured({ from: './echo', repositories: { shop: 'acme/shop' } })).toThrow(
      /plugins\[0\]\.repositories\.shop: no repository has this name → name one of repositories\[\]/,
    );
    expect(() => configured({ from: './echo', rules: [{ name: 'none' }] })).toThrow(
      /say by one of these how work is asked/,
    );
  });
});
