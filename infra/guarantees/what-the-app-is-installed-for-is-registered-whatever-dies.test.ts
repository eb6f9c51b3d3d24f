import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationId, type ConfigurationEvent } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeGithub } from '../testing/github/fake-github.ts';
import { removeFolder, temporaryFolder } from '../testing/processes/folder.ts';
import { until, untilTrue } from '../testing/processes/until.ts';
import { createBareOrigin } from '../testing/repository/git.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';
import type { RunningSystem, Settings } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { deliver, labeledIssue, SECRET, SENDER, signed } from '../testing/system/github.ts';
import { diesOften } from '../testing/system/storm.ts';
import { finalTask } from '../testing/system/tasks.ts';

const SHOP = 'acme/shop';

describe.each(engines)('what the app is installed for is registered ($name)', (engine) => {
  let folder: string;
  let fake: Awaited<ReturnType<typeof startFakeGithub>>;
  let system: RunningSystem;
  let issues = 0;

  const settings = (catchUp: object | null): Settings => {
    const { name: _, baseBranch: __, ...each } = shellRegistration;
    return {
      github: { url: fake.url, app: { id: 7, key: { file: join(folder, 'app.pem') } }, catchUp },
      outbound: { privateHosts: [fake.host] },
      webhooks: { github: { secrets: [{ file: join(folder, 'secret') }] } },
      installed: { of: ['acme/*'], each: { ...each, trusted: [SENDER], capabilities: ['greeting'] } },
      agents: [scriptAgent('greeting', writeRightGreet)],
      sandbox: 'off',
    };
  };

  beforeAll(async () => {
    folder = await temporaryFolder('installed');
    fake = await startFakeGithub();
    await writeFile(join(folder, 'app.pem'), fake.privateKey);
    await writeFile(join(folder, 'secret'), SECRET, { mode: 0o600 });
    createShellRepository(join(folder, 'person'));
    const origin = createBareOrigin(join(folder, 'person'));
    Object.assign(fake.addRepository(SHOP), { cloneUrl: origin, defaultBranch: 'trunk' });
    fake.addRepository('stranger/shop');
    fake.app.installations.set('stranger', 43);
    system = await engine.start(settings(null), { storage: 'shared' });
  });
  afterAll(async () => {
    await system?.dispose();
    await fake?.close();
    await removeFolder(folder);
  });

  /** GitHub tells that something is different. @returns what waits until it was looked at */
  async function tell(event: string, action: string): Promise<() => Promise<unknown>> {
    const { status, body } = await deliver(system.client, signed(JSON.stringify({ action, told: ++issues }), event));
    expect([status, body['outcome'], body['reason']]).toEqual([
      ...[202, 'ignored', 'it starts no work: the repositories that the app is installed for are looked at'],
    ]);
    return () =>
      until('the end of a look', async () => {
        const run = await system.client.find<{ state: string }>(`/pipelines/${String(body['id'])}`);
        if (run === null || run.state === 'running') return false;
        expect(run).toMatchObject({ state: 'completed' });
        return true;
      });
  }
  async function taken(): Promise<readonly string[]> {
    const log = await system.openLog();
    const stream = streamName('configuration', configurationId('production'));
    try {
      for await (const recorded of log.readStream(stream, { direction: 'backward', limit: 1 }))
        return Object.keys((upcast(recorded) as ConfigurationEvent).data.content.installed ?? {});
      return [];
    } finally {
      await log.close();
    }
  }
  /** A trusted person asks for work. */
  const ask = async (repository: string) => {
    const delivery = labeledIssue(++issues, 'Greet the world');
    const told = { ...(JSON.parse(delivery.body) as object), repository: { full_name: repository } };
    return (await deliver(system.client, signed(JSON.stringify(told)))).body;
  };
  async function die(then: () => unknown = () => undefined): Promise<void> {
    await system.kill9('service');
    then();
    await system.restart();
  }

  it('and work is asked for and done there, without a restart; of who is not named nothing is taken', async () => {
    expect(await ask(SHOP)).toMatchObject({ outcome: 'ignored', reason: `repository ${SHOP} is not registered` });
    fake.app.installations.set('acme', 41);
    await (
      await tell('installation', 'created')
    )();
    expect(await taken()).toEqual([SHOP]);
    const asked = await ask(SHOP);
    expect(asked).toMatchObject({ outcome: 'routed' });
    expect(await finalTask(system.client, String(asked['taskId']))).toMatchObject({ state: 'complete', failure: null });
    expect(await ask('stranger/shop')).toMatchObject({ reason: 'repository stranger/shop is not registered' });
  });

  it('though every process dies as it is looked for, and what was registered before is there at once', async () => {
    fake.addRepository('acme/mill');
    // It dies while it waits for the list: an answer that never came would be waited for, and asked for again much later.
    fake.settings.milliseconds = 1_500;
    const before = fake.count('GET', /^\/app\/installations/);
    const looked = await tell('installation_repositories', 'added');
    await untilTrue(() => fake.count('GET', /^\/app\/installations/) > before);
    await die(() => (fake.settings.milliseconds = 0));
    expect(await ask(SHOP)).toMatchObject({ outcome: 'routed' });
    await looked();
    expect(await taken()).toEqual(['acme/mill', SHOP]);
  });

  it('as it is in the end, however many tell of it at once', async () => {
    const told = await Promise.all(
      Array.from({ length: 5 }, async (_, number) => {
        fake.addRepository(`acme/more-${number}`).archived = number < 3;
        return tell('repository', number < 3 ? 'archived' : 'renamed');
      }),
    );
    await Promise.all(told.map((looked) => looked()));
    expect(await taken()).toEqual(['acme/mill', 'acme/more-3', 'acme/more-4', SHOP]);
  });

  it('until it is uninstalled, though every process dies between what is seen and what is taken', async () => {
    fake.app.installations.delete('acme');
    const before = fake.count('GET', /^\/app\/installations/);
    const looked = await tell('installation', 'deleted');
    await untilTrue(() => fake.count('GET', /^\/app\/installations/) > before);
    if (diesOften(engine.name)) await die();
    await looked();
    expect(await taken()).toEqual([]);
    expect(await ask(SHOP)).toMatchObject({ outcome: 'ignored', reason: `repository ${SHOP} is not registered` });
  });

  it('also where GitHub told nobody', async () => {
    fake.app.installations.set('acme', 44);
    await system.restart(settings({ everySeconds: 1 }));
    await untilTrue(async () => (await taken()).includes(SHOP));
    expect(await ask(SHOP)).toMatchObject({ outcome: 'routed' });
    expect((await taken()).every((name) => name.startsWith('acme/'))).toBe(true);
  });
});
