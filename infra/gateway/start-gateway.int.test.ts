import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runStarter } from '../testing/servers/starter.ts';
import { describe, expect, it } from 'vitest';
import { startGateway, type GatewayOptions } from './start-gateway.ts';
import { caddyForTests, gatewayFolder } from './testing.ts';
import { isAlive } from '../testing/processes/processes.ts';

const caddy = await caddyForTests();
const nobody = { commandServices: ['127.0.0.1:9'], queryServices: ['127.0.0.1:9'] };

const options = async (more: Partial<GatewayOptions> = {}): Promise<GatewayOptions> => ({
  listen: { host: '127.0.0.1', port: 0 },
  ...nobody,
  folder: await gatewayFolder(),
  log: () => undefined,
  ...more,
});

describe.skipIf(caddy === null)('a gateway', () => {
  it('answers when it is said to run, and is gone when it is said to be stopped', async () => {
    const gateway = (await startGateway(await options()))!;
    expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
    await gateway.stop();
    await gateway.stop();
    expect(await gateway.died).toBe('exit code 0');
    await expect(fetch(`${gateway.url}/health/live`)).rejects.toThrow();
  });

  it('tells its holder when it is killed', async () => {
    const gateway = (await startGateway(await options()))!;
    process.kill(gateway.pid, 'SIGKILL');
    expect(await gateway.died).toBe('signal SIGKILL');
  });

  it('refuses an address that is taken, also by another gateway', async () => {
    const first = (await startGateway(await options()))!;
    const port = Number(new URL(first.url).port);
    await expect(startGateway(await options({ listen: { host: '127.0.0.1', port } }))).rejects.toThrow(
      `127.0.0.1:${port}: the port is taken → stop the other program, or set another port`,
    );
    expect((await fetch(`${first.url}/health/live`)).status).toBe(200);
    await first.stop();
  });

  it('that outlived a killed holder makes way for the next one', async () => {
    const { folder } = await options();
    const { url, pid, kill } = await runStarter('gateway', folder);
    await kill();
    expect(isAlive(pid)).toBe(true);

    const told: string[] = [];
    const listen = { host: '127.0.0.1', port: Number(new URL(url).port) };
    const next = (await startGateway(await options({ folder, listen, log: (text) => told.push(text) })))!;
    expect(told).toContain(`the gateway (process ${pid}) is still running from last time: stopping it`);
    expect(isAlive(pid)).toBe(false);
    expect((await fetch(`${next.url}/health/live`)).status).toBe(200);
    await next.stop();
  });

  it('says why it did not start', async () => {
    const wrong = await options({ commandServices: ['http://127.0.0.1:8081/no/paths/allowed'] });
    await expect(startGateway(wrong)).rejects.toThrow(/^the gateway did not start: .*path.* \(whole log: .*\)$/i);
  });

  it('writes below its own folder only', async () => {
    const { folder, ...rest } = await options();
    const gateway = (await startGateway({ folder, ...rest }))!;
    const environment = await readFile(`/proc/${gateway.pid}/environ`, 'utf8').catch(() => null);
    await gateway.stop();
    expect((await readdir(folder)).sort()).toEqual(expect.arrayContaining(['gateway.json', 'gateway.log']));
    if (environment === null) return;
    const places = environment.split('\0').filter((line) => /^(HOME|XDG_|TMPDIR|PATH)/.test(line));
    expect(places.sort()).toEqual([`HOME=${folder}`, `XDG_CONFIG_HOME=${folder}`, `XDG_DATA_HOME=${folder}`]);
    expect(await readdir(join(folder, 'caddy'))).not.toEqual([]);
  });
});
