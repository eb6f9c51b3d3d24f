import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseConfiguration, readOptions } from './options.ts';

afterEach(() => vi.restoreAllMocks());

test('without options: given servers, one of each service, the gateway at 8080', () => {
  expect(readOptions([])).toEqual({ native: false, config: undefined, data: '.workledger', port: 8080, scale: {} });
});

test('takes so many of a service as are asked for', () => {
  const { native, scale, port } = readOptions([
    '--native',
    '--scale',
    'projections=2',
    '--scale',
    'sagas=3',
    '--port',
    '0',
  ]);
  expect({ native, scale, port }).toEqual({ native: true, scale: { projections: 2, sagas: 3 }, port: 0 });
});

test.each([
  [['--scale', 'kafka=2'], /use one of command-service, query-service, relay, projections, sagas/],
  [['--scale', 'sagas=0'], /--scale sagas 0: use a whole number from 1 to 20/],
  [['--scale', 'sagas'], /--scale sagas : use a whole number/],
  [['--port', 'http'], /--port http: use a whole number from 0 to 65535/],
  [['--nativ'], /Unknown option '--nativ'/],
])('refuses %j, says why, and shows the usage', (args, why) => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
    throw new Error('exit');
  });
  expect(() => readOptions(args)).toThrow('exit');
  expect(exit).toHaveBeenCalledWith(2);
  expect(String(written.mock.calls[0]?.[0])).toMatch(why);
  expect(String(written.mock.calls[0]?.[0])).toContain('Usage: npm run start:distributed');
});

test("without a configuration the demo's is written, and the demo can play in it", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'workledger-options-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  const own = join(folder, 'own');
  const first = await chooseConfiguration(undefined, own, join(folder, 'demo'));
  expect([first.isDemo, first.file]).toEqual([true, join(own, 'workledger.json')]);
  expect(first.configuration.agents.map(({ name }) => name)).toContain('demo-agent');
  const second = await chooseConfiguration(first.file, own, join(folder, 'demo'));
  expect([second.isDemo, second.file]).toEqual([false, first.file]);
});
