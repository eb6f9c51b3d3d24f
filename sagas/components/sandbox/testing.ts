import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { agentSchema, repositorySchema } from '@workledger/shared/config/schema.ts';
import { openAttempt } from '../process/attempt.ts';
import { childEnvironment, type ProcessOptions } from '../process/run-process.ts';
import { trySandbox } from './open.ts';
import { sandboxFor } from './policy.ts';

const trials = mkdtempSync(join(tmpdir(), 'workledger-trial-'));
const usable = (await trySandbox(trials)).every(({ ok }) => ok);
rmSync(trials, { recursive: true });

/** `describe`, skipped where no sandbox can run; where everything is required its tests run, and fail. */
export const describeWithSandbox = describe.skipIf(!usable && process.env['WORKLEDGER_REQUIRE'] !== '1');

/** A data folder with what nobody in a sandbox may see, a file in the operator's home, and agents that are lines of shell. */
export async function createShellWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-sandbox-'));
  const ofOperator = mkdtempSync(join(homedir(), '.workledger-test-'));
  writeFileSync(join(ofOperator, 'private'), 'of the operator');
  const dataFolder = join(folder, 'data');
  for (const name of ['own', 'other']) mkdirSync(join(dataFolder, 'worktrees', name), { recursive: true });
  writeFileSync(join(dataFolder, 'admin-key'), 'the admin key', { mode: 0o600 });
  writeFileSync(join(dataFolder, 'worktrees', 'other', 'private'), 'of another attempt');
  const path = join(dataFolder, 'worktrees', 'own');
  const temporary = join(dataFolder, 'worktrees', 'own-temporary');
  const originFolder = join(dataFolder, 'origin.git');
  for (const made of [temporary, join(originFolder, 'objects')]) mkdirSync(made, { recursive: true });
  const attempt = await openAttempt({ dataFolder, key: folder, scope: 'task/run' });
  return {
    folder,
    dataFolder,
    ofOperator,
    path,
    attempt,
    /** Runs lines of shell as an agent, or, with `agent: null`, as a command of the repository. */
    run: async (script: string, { agent = {}, repository = {}, args = [], api = null, ...more }: ShellOptions = {}) => {
      const policy = sandboxFor(
        {
          environment: { sandbox: { hidden: [], api }, dataFolder },
          repository: repositorySchema.parse({ name: 'shop', url: 'x', test: ['true'], ...repository }),
        },
        agent === null ? {} : { agent: agentSchema.parse({ name: 'shell', command: ['sh'], ...agent }) },
        { path, temporary, mirror: { url: 'x', login: null, gitFolder: join(dataFolder, 'work.git'), originFolder } },
      );
      const result = await attempt.run({
        command: ['/bin/bash', '-c', script, 'agent', ...args],
        cwd: path,
        environment: childEnvironment(),
        timeoutMs: 30_000,
        maxOutputBytes: 100_000,
        graceMs: 500,
        sandbox: policy,
        ...more,
      });
      return {
        ...result,
        text: result.output.toString('utf8').trim(),
        lines: result.stdout.toString('utf8').trim().split('\n'),
      };
    },
    dispose: async () => {
      await attempt.close();
      for (const made of [folder, ofOperator]) rmSync(made, { recursive: true, force: true });
    },
  };
}

type ShellOptions = {
  readonly agent?: object | null;
  readonly repository?: object;
  readonly args?: readonly string[];
  readonly api?: string | null;
} & Partial<ProcessOptions>;
