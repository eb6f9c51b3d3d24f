import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { retentionSchema } from '@workledger/shared/config/retention.ts';
import { agentSchema, type Configuration, repositorySchema } from '@workledger/shared/config/schema.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createTestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { onTestFinished } from 'vitest';
import type { Component } from '../engine/component.ts';
import type { TakeNote } from '../engine/notes.ts';
import { createComponents, type RequestOf, type ResultOf } from './catalogue.ts';
import { agentIdOf, type ComponentEnvironment } from './environment.ts';
import type { Sandbox } from './sandbox/policy.ts';
import {
  commitAsUser,
  createBareOrigin,
  createUserRepository,
  git,
  type Files,
} from '@workledger/infra/testing/repository/git.ts';

export type TestArtefacts = { readonly artefacts: Artefacts; drop(): Promise<void> };

/** An artefact store in a database of its own. */
export async function createTestArtefacts(): Promise<TestArtefacts> {
  const database = await createTestDatabase();
  await migrate(database.url, 'artefacts', artefactMigrations);
  return { artefacts: createPostgresArtefacts(database.pool), drop: () => database.drop() };
}

const files: Files = {
  'src/add.mjs': 'export const add = (a, b) => a - b;\n',
  'test/add.test.mjs': `import { add } from '../src/add.mjs';\nif (add(1, 2) !== 3) { console.log('add is wrong'); process.exit(1); }\n`,
  'test/measure.mjs': `import { readFileSync } from 'node:fs';\nconsole.log('measuring');\nconsole.log(JSON.stringify({ size: readFileSync('src/add.mjs').length }));\n`,
  '.gitignore': 'ignored/\n',
};

type WorldOptions = {
  readonly agents?: Readonly<Record<string, string>>;
  readonly repository?: object;
  readonly agent?: object;
  readonly bare?: boolean;
  /** Default: as where none is configured. */
  readonly retention?: Partial<Configuration['retention']>;
  /** Default: programs run in none. */
  readonly sandbox?: Sandbox | null;
  /** Default: those that perform in this process. */
  readonly create?: (environment: ComponentEnvironment) => readonly Component[];
};

/** A repository, agents that are programs of a few lines, and the code components over them. */
export function createCodeWorld(artefacts: Artefacts, options: WorldOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-code-'));
  const user = join(folder, 'user');
  const base = createUserRepository(user, files);
  const bare = createBareOrigin(user);
  const url = options.bare === false ? user : bare;
  const node = process.execPath;
  const repository = repositorySchema.parse({
    name: 'sample',
    url,
    test: [node, 'test/add.test.mjs'],
    evaluate: [node, 'test/measure.mjs'],
    protectedPaths: ['test'],
    merge: 'fast-forward',
    ...options.repository,
  });
  const agents = Object.entries(options.agents ?? {}).map(([name, script]) => {
    const program = join(folder, `${name}.mjs`);
    writeFileSync(program, script);
    return agentSchema.parse({ name, command: [node, program], ...options.agent });
  });
  const dataFolder = join(folder, 'data');
  const start = (): readonly Component[] =>
    (options.create ?? createComponents)({
      configuration: { repositories: [repository], agents, retention: retentionSchema.parse(options.retention ?? {}) },
      artefacts,
      readTask: () => Promise.resolve({ title: 'Fix add', description: 'It subtracts.', words: null }),
      dataFolder,
      logger: { debug: () => undefined, info: () => undefined, warn: () => undefined },
      sandbox: options.sandbox ?? null,
    });
  let components = start();
  const inRun = { taskId: newId(), runId: newId(), repository: 'sample' };
  const call = <Result>(
    name: string,
    request: object,
    signal = new AbortController().signal,
    key = `saga-${inRun.runId}/${name}/1`,
    note?: TakeNote,
  ): Promise<Result> => {
    const component = components.find((one) => one.name === name) as Component<object, Result> | undefined;
    if (component === undefined) throw new Error(`no component ${name}`);
    return component.perform({ ...inRun, ...request }, { key, signal, note });
  };
  const workRequest = (
    agent: string,
    change: Partial<RequestOf<'code.work'>> = {},
  ): Omit<RequestOf<'code.work'>, keyof typeof inRun> => ({
    agentId: agentIdOf(agent),
    parent: base,
    label: 'generate-1',
    prompt: { purpose: 'generate', feedback: null, metrics: null },
    evaluate: false,
    ...change,
  });
  return {
    folder,
    user,
    bare,
    url,
    base,
    dataFolder,
    repository,
    inRun,
    artefacts,
    components: () => components,
    call,
    workRequest,
    /** Calls a component of a Workledger that was started just now. */
    restart: <Result>(name: string, request: object): Promise<Result> => {
      components = start();
      return call<Result>(name, request);
    },
    /** What attempts left on this machine: nothing, when all is well. */
    leftovers: () => ['attempts', 'worktrees'].flatMap((name) => names(join(dataFolder, name))),
    text: async (digest: string): Promise<string> =>
      Buffer.from((await artefacts.get(digest))?.bytes ?? Buffer.from('missing')).toString(),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const MEND = `import { writeFileSync } from 'node:fs';
writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n');`;

/** A world in which an agent has mended `add`; what is often done with that work. */
export async function createWorldWithWork(
  artefacts: TestArtefacts['artefacts'],
  options: Parameters<typeof createCodeWorld>[1] = {},
) {
  const made = createCodeWorld(artefacts, { agents: { agent: MEND }, ...options });
  onTestFinished(() => made.remove());
  const { commit } = await made.call<ResultOf<'code.work'>>('code.work', made.workRequest('agent'));
  const branch = `workledger/${made.inRun.taskId}`;
  return {
    ...made,
    commit,
    branch,
    publish: (what = commit) => made.call('code.publish', { commit: what, branch }),
    unpublish: () => made.call<ResultOf<'code.unpublish'>>('code.unpublish', { branch }),
    merge: (what = commit, base = made.base) => made.call<ResultOf<'code.merge'>>('code.merge', { commit: what, base }),
    rebase: () => made.call<ResultOf<'code.rebase'>>('code.rebase', { commit, base: made.base, label: 'rebase-1' }),
    /** Somebody else pushes to the base branch. */
    moveBase: (files: Files): string => {
      const moved = commitAsUser(made.user, files, 'Meanwhile');
      git(made.user, 'push', '--quiet', 'origin', 'HEAD:main');
      return moved;
    },
  };
}

/** Whether a repository has a branch. */
export const has = (repository: string, ref: string): boolean => git(repository, 'for-each-ref', ref) !== '';
