import { createHmac, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { createClient } from '@workledger/shared/client/client.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyTree } from '../guarantees/defects/copy-tree.ts';
import { runProgram } from '../testing/processes/run-program.ts';
import { embeddedPostgres } from '../testing/servers/own-servers.ts';
import { startService, type Service } from '../testing/system/service.ts';
import { until } from '../testing/processes/until.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const RECIPES = join(import.meta.dirname, 'recipes');

/** Files that a change touches; what is generated, and the tests beside these files, come on top. */
type Reach = {
  readonly files: readonly string[];
  /** Of these, in which files that list everything: each gets an import and an entry, no more. */
  readonly catalogues?: readonly string[];
  /** What says the same a second time, on purpose: who may call what (an oracle), and what others are told. */
  readonly saidAgain?: readonly string[];
};

const oracle = 'infra/guarantees/harness/permitted.ts';
const task = 'shared/contexts/task/task';

/** How far a change reaches. */
const reaches: Readonly<Record<string, Reach>> = {
  'a-field-of-a-task': {
    files: [`${task}/commands.ts`, `${task}/events.ts`, `${task}/row.ts`, 'projections/tasks/migration.ts'],
  },
  'an-aggregate': {
    files: [
      'shared/contexts/task/milestone/commands.ts',
      'shared/contexts/task/milestone/events.ts',
      'shared/contexts/task/milestone/row.ts',
      'shared/contexts/task/milestone/state.ts',
      'command-service/domain/milestone.ts',
      'projections/milestones/migration.ts',
      'projections/milestones/projection.ts',
      'command-service/api/milestone-routes.ts',
      'query-service/api/milestones.ts',
    ],
    catalogues: [
      'shared/events/catalogue.ts',
      'shared/commands/catalogue.ts',
      'command-service/processes/room.ts',
      'projections/all.ts',
      'command-service/api/command-routes.ts',
      'query-service/start.ts',
    ],
    saidAgain: [oracle, 'infra/docs/guides/events-for-other-systems.md'],
  },
  'a-projection': {
    files: [`${task}/claim-row.ts`, 'projections/claims/migration.ts', 'projections/claims/projection.ts'],
    catalogues: ['projections/all.ts'],
  },
  'a-component': {
    files: ['sagas/components/notes/keep.ts'],
    catalogues: ['sagas/components/catalogue.ts'],
  },
  // With its part of the configuration.
  'a-webhook-provider': {
    files: ['command-service/intake/providers/gitea.ts', 'shared/config/intake-schema.ts'],
    catalogues: ['command-service/intake/providers.ts'],
    saidAgain: [oracle, 'README.md'],
  },
  // Its stream type belongs to the language that all services speak; its code does not.
  'a-saga': {
    files: ['sagas/giving-up/giving-up.ts'],
    catalogues: ['sagas/start.ts', 'shared/contexts/saga/events.ts'],
  },
  // With a new command: its declaration and its decision.
  'a-route': {
    files: ['command-service/api/task-routes.ts', `${task}/commands.ts`, 'command-service/domain/task.ts'],
    saidAgain: [oracle],
  },
  'a-new-version-of-an-event': { files: ['shared/contexts/agent/agent/events.ts'] },
};

type Change = { readonly file: string; readonly added: number; readonly removed: number };

/** What a patch changes, file by file. */
function changesOf(recipe: string): Change[] {
  const [, ...parts] = readFileSync(join(RECIPES, `${recipe}.patch`), 'utf8').split(/^diff --git .*\n/m);
  const count = (part: string, lines: RegExp): number => part.match(lines)?.length ?? 0;
  return parts.map((part) => ({
    file: /^\+\+\+ b\/(.*)$/m.exec(part)?.[1] ?? part,
    added: count(part, /^\+(?!\+\+ )/gm),
    removed: count(part, /^-(?!-- )/gm),
  }));
}

/** Of Vitest's report, what is read of it. */
type Report = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly failureMessages: readonly string[] }[];
  }[];
};

const recipes = Object.keys(reaches);
const changes = new Map(recipes.map((recipe) => [recipe, changesOf(recipe)]));
const isTest = ({ file }: Change): boolean => file.endsWith('.test.ts');

const mend = (recipe: string, why: string): string =>
  `the recipe infra/docs/recipes/${recipe}.patch no longer fits the tree:\n${why.trim()}\n` +
  'Mend it as CONTRIBUTING.md says ("A recipe that no longer fits"):\n' +
  `  git worktree add --detach ../mend && cd ../mend && git apply --reject infra/docs/recipes/${recipe}.patch\n` +
  '  # by hand: what the *.rej files say (remove them), and what no longer compiles or holds\n' +
  `  git add -AN . && git diff -U1 > "$OLDPWD/infra/docs/recipes/${recipe}.patch"`;

/** Recipes that touch a file which the output names. */
const concerned = (output: string): string =>
  recipes.filter((recipe) => changes.get(recipe)?.some(({ file }) => output.includes(file))).join(' or ') || '<recipe>';

describe('how far a change reaches', () => {
  test('is told by one patch a row of the table', () => {
    const patches = readdirSync(RECIPES).map((file) => file.replace(/\.patch$/, ''));
    expect(patches.toSorted()).toEqual(recipes.toSorted());
  });

  test.each(recipes)('%s: these files, and tests beside them', (recipe) => {
    const { files, catalogues = [], saidAgain = [] } = reaches[recipe]!;
    const changed = changes.get(recipe)!;
    const product = changed.filter((change) => !isTest(change)).map(({ file }) => file);
    expect(product.toSorted()).toEqual([...files, ...catalogues, ...saidAgain].toSorted());
    for (const { file, added, removed } of changed.filter(({ file }) => catalogues.includes(file)))
      expect([file, added <= 2, removed <= 1], 'an import and an entry').toEqual([file, true, true]);
    const folders = new Set(files.map(dirname));
    const tests = changed.filter(isTest).map(({ file }) => file);
    expect(tests, 'it brings a test').not.toEqual([]);
    expect(tests.filter((file) => !folders.has(dirname(file)))).toEqual([]);
  });
});

describe('the recipes on a copy of the tree', () => {
  let copy: string;
  // Go's collector, told to be lazy, leaves a third of the compiler's CPU time to others.
  const program = (...args: string[]) => runProgram(process.execPath, args, copy, { ...process.env, GOGC: '400' });
  const apply = async (recipe: string, ...options: string[]): Promise<void> => {
    const args = ['apply', '--whitespace=nowarn', ...options, join(RECIPES, `${recipe}.patch`)];
    const { exitCode, errors } = await runProgram('git', args, copy);
    if (exitCode !== 0) throw new Error(mend(recipe, errors));
  };

  beforeAll(async () => {
    copy = await copyTree();
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  test.each(recipes)('%s applies to it', (recipe) => apply(recipe, '--check'));

  test('apply all together, and what is generated follows', async () => {
    for (const recipe of recipes) await apply(recipe);
    for (const generator of [
      'events/published/publish-schemas',
      'events/examples/keep-examples',
      'config/publish-json-schema',
    ]) {
      const source = join(copy, 'shared', `${generator}.program.ts`);
      const { exitCode, output, errors } = await program('--import', 'tsx', source);
      expect(exitCode, output + errors).toBe(0);
    }
  });

  test('compile, with everything that is there', async () => {
    const { exitCode, output } = await program('node_modules/typescript-native/bin/tsc', '--noEmit', '--checkers', '1');
    expect(exitCode, mend(concerned(output), output)).toBe(0);
  }, 300_000);

  test('pass their own tests, and those of all that is listed somewhere', async () => {
    const own = [...changes.values()].flat().filter(isTest);
    const lists = [
      'shared/events',
      'infra/docs/examples',
      'infra/local/service-commands',
      'command-service/api/may-send',
      'shared/config/readme',
      'shared/config/schema',
    ];
    const report = join(copy, 'report.json');
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'json'];
    await program(...vitest, '--outputFile', report, ...own.map(({ file }) => file), ...lists);
    const { testResults } = JSON.parse(await readFile(report, 'utf8')) as Report;
    const failures = testResults
      .filter(({ status }) => status !== 'passed')
      .map(({ name, message, assertionResults }) =>
        [name, message, ...assertionResults.flatMap(({ failureMessages }) => failureMessages)].join('\n'),
      );
    expect(failures, mend(concerned(failures.join()), 'a test fails')).toEqual([]);
    expect(testResults.map(({ name }) => relative(copy, name))).toEqual(
      expect.arrayContaining(own.map(({ file }) => file)),
    );
  }, 300_000);

  describe('run', () => {
    let service: Service;
    let data: string;
    let said = '';
    const client = createClient({
      url: () => service.url,
      key: async () => (await readFile(join(data, 'admin-key'), 'utf8')).trim(),
    });
    const post = (path: string, body: object = {}) => client.expect2xx('POST', path, { body });
    const read = async (path: string, token: string) => (await client.expect2xx('GET', path, { token })).body;

    beforeAll(async () => {
      const configuration = join(copy, 'workledger.json');
      data = join(copy, 'data');
      const webhooks = { gitea: { secrets: [{ env: 'GITEA_SECRET' }] } };
      await writeFile(configuration, JSON.stringify({ logLevel: 'error', port: 0, dataFolder: data, webhooks }));
      const start = relative(ROOT, join(copy, 'infra/local/start.ts'));
      service = await startService(start, ['--config', configuration], (text) => (said += text), {
        GITEA_SECRET: 'a secret',
      });
    });
    afterAll(() => service.stop());

    test('a-field-of-a-task: what was set, and changed, is read', async () => {
      const { id, token } = await post('/tasks', { title: 'estimated', estimateHours: 2 });
      expect(await read(`/tasks/${id}`, token)).toMatchObject({ estimateHours: 2 });
      const changed = await client.expect2xx('PATCH', `/tasks/${id}`, { body: { estimateHours: 0.5 } });
      expect(await read(`/tasks/${id}`, changed.token)).toMatchObject({ estimateHours: 0.5 });
      const { id: other, token: later } = await post('/tasks', { title: 'without' });
      expect(await read(`/tasks/${other}`, later)).toMatchObject({ estimateHours: null });
    });

    test('an-aggregate: from its command to its row', async () => {
      const { id } = await post('/milestones', { name: 'beta' });
      const { token } = await post(`/milestones/${id}/reach`, { note: 'with cake' });
      const row = { id, revision: 1, name: 'beta', note: 'with cake', reachedAt: expect.any(String) };
      expect(await read(`/milestones/${id}`, token)).toMatchObject(row);
      expect(await read('/milestones', token)).toMatchObject({ items: [row] });
      expect((await client.send('POST', `/milestones/${newId()}/reach`, { body: {} })).status).toBe(404);
    });

    test('a-route: its command takes effect', async () => {
      const { id } = await post('/tasks', { title: 'raised', priority: 3 });
      const { token } = await post(`/tasks/${id}/raise`);
      expect(await read(`/tasks/${id}`, token)).toMatchObject({ priority: 2 });
    });

    test('a-new-version-of-an-event: it is the one that is written', async () => {
      const { id } = await post('/agents', { name: 'in trouble' });
      await post(`/agents/${id}/error`, { message: 'no disk' });
      const [, reported] = await client.stream(`agent-${id}`);
      expect(reported).toMatchObject({ type: 'AgentErrorReported', version: 2 });
    });

    test('a-webhook-provider: its delivery is verified and recorded', async () => {
      const body = JSON.stringify({ action: 'label_updated', repository: { full_name: 'acme/shop' } });
      const send = (secret: string) =>
        client.send('POST', '/webhooks/gitea', {
          ...{ body, key: null },
          headers: {
            'X-Gitea-Signature': createHmac('sha256', secret).update(body).digest('hex'),
            ...{ 'X-Gitea-Event': 'issues', 'X-Gitea-Delivery': randomUUID() },
          },
        });
      expect(await send('another')).toMatchObject({ status: 401 });
      expect(await send('a secret')).toMatchObject({ status: 202, body: { outcome: 'ignored' } });
    });

    test('a-saga reacts, a-projection follows', async () => {
      const { id: agentId } = await post('/agents', { name: 'gives back' });
      const { id } = await post('/tasks', { title: 'unloved' });
      for (let time = 1; time <= 3; time++) {
        // The room of an agent is freed by a saga, a moment after it gave a task back.
        const claim = await until('a claim', async () => {
          const answer = await client.send('POST', `/tasks/${id}/claim`, { body: { agentId } });
          return answer.status === 200 && answer;
        });
        await post(`/tasks/${id}/release`, { claimId: claim.body['claimId'], reason: 'too hard' });
      }
      const ended = await until('the saga', async () => {
        const task = await client.find<{ state: string; reason: string }>(`/tasks/${id}`);
        return task?.state === 'cancelled' && task;
      });
      expect(ended.reason).toBe('3 agents gave it back or were lost');
      const connectionString = await embeddedPostgres(join(data, 'postgres')).url();
      const pool = createDatabasePool({ connectionString, max: 1, applicationName: 'recipes' });
      const { rows } = await pool.query('select outcome from read_models.claims where task_id = $1', [id]);
      await pool.end();
      expect(rows).toEqual([1, 2, 3].map(() => ({ outcome: 'released' })));
    });

    test('without a word of complaint', () => expect(said).toBe(''));
  });
});
