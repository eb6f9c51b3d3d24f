import type { Repository } from '@workledger/shared/config/schema.ts';
import { createTurns } from '@workledger/shared/resilience/in-turn.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { removeCheckout, type Checkout } from '../git/checkout.ts';
import { madeBesides, restoreTracked, tracksAny } from '../git/made.ts';
import { ensureCommits } from '../git/commits.ts';
import { ProcessNotStarted } from '../process/run-process.ts';
import type { CodeAttempt } from './code-component.ts';
import { type CommandRun, runCommands } from './commands.ts';
import { copyPrepared, type Entry, findPrepared, keepPrepared } from './prepared-folders.ts';
import { setupKey } from './setup-key.ts';

/** The commit that a checkout stands at, and the one that the events name as the work's start, where they do. */
export type At = { readonly taskId: string; readonly commit: string; readonly base: string | null };

/** Runs a command where `setup` prepared the checkout. @param turn waits until the command may begin @throws ProcessNotStarted @throws the signal's reason on abort */
export async function runWithSetup(
  code: CodeAttempt,
  checkout: Checkout,
  at: At,
  command: { readonly step: string; readonly command: readonly string[] },
  turn: (run: () => Promise<CommandRun[]>) => Promise<CommandRun[]> = (run) => run(),
): Promise<CommandRun[]> {
  const run = await setUp(code, checkout, at);
  if (run !== null && run.problem !== null) return [run];
  return [...(run === null ? [] : [run]), ...(await turn(() => runCommands(code, checkout, [command])))];
}

/** How a checkout was prepared for an agent. */
export type Place = {
  /** null: the repository has no `setup`. */
  readonly setup: CommandRun | null;
  /** What it made beside what git tracks, relative to the checkout. */
  readonly made: readonly string[];
};

/** Prepares a checkout for an agent. That `setup` fails is told to it, no failure: it may be what is to be mended. */
export async function preparePlace(code: CodeAttempt, checkout: Checkout, at: At): Promise<Place> {
  const setup = await setUp(code, checkout, at);
  if (setup === null) return { setup, made: [] };
  // What it changed of the work itself is none of the agent's.
  await restoreTracked(checkout, at.commit, code.signal);
  return { setup, made: await madeBesides(checkout, at.commit, code.signal) };
}

/** `setup` as it ran here, or as a prepared folder was copied; null where the repository has none. */
export async function setUp(code: CodeAttempt, checkout: Checkout, at: At): Promise<CommandRun | null> {
  const { repository, environment } = code;
  if (repository.setup === null) return null;
  const startedAt = performance.now();
  const found = await preparedFor(code, at);
  if (found !== null) {
    const { key, entry } = found;
    try {
      await copyPrepared(environment.dataFolder, key, entry, checkout.path);
      return copied(repository.setup, entry, performance.now() - startedAt);
    } catch (error) {
      environment.logger.warn({ reason: oneLine(error) }, 'cannot copy a prepared folder: setup runs instead');
    }
  }
  return (await runCommands(code, checkout, [{ step: 'setup', command: repository.setup }]))[0] ?? null;
}

function copied(command: readonly string[], { made, base }: Entry, milliseconds: number): CommandRun {
  const said = `copied as it ran on ${base}: ${made.join(', ')}\n`;
  const empty = Buffer.alloc(0);
  const output = Buffer.from(said);
  return {
    ...{ step: 'setup', command, problem: null },
    result: {
      ...{ ended: 'exit', exitCode: 0, signal: null, droppedBytes: 0, limit: null },
      ...{ durationMs: Math.round(milliseconds), stdout: output, stderr: empty, output },
    },
  };
}

/** What package managers make, out of manifests and lock files alone. */
const DEPENDENCIES =
  /(^|\/)(node_modules|\.?venv|env|\.tox|\.nox|vendor|\.bundle|\.yarn|\.pnp\.[^/]+|\.pnpm-store|\.eggs|[^/]+\.egg-info|__pycache__|Pods|\.m2|\.gradle)$/;

/** Why what was made must not be copied: it may have been built from what the next commit changes. */
function problemOfMade(made: readonly string[], { setupInputs }: Repository): string | null {
  if (made.length === 0) return 'it makes nothing in its folder';
  const built = setupInputs.length > 0 ? undefined : made.find((name) => !DEPENDENCIES.test(name));
  return built === undefined ? null : `it makes ${built}: name in "setupInputs" what that is made of`;
}

const inTurn = createTurns();

/**
 * The prepared folder for a commit: made now, where there is none yet, by `setup` on the base. Null where it has to run in the checkout
 * itself: what `setup` reads is not as on the base, what it made cannot be copied, or it fails.
 */
async function preparedFor(code: CodeAttempt, at: At): Promise<{ key: string; entry: Entry } | null> {
  const { mirror, repository, environment, signal } = code;
  const { base } = at;
  if (!repository.setupCache || base === null) return null;
  await ensureCommits(mirror, at.taskId, [base], signal);
  const key = await setupKey(mirror, repository, base);
  if (at.commit !== base && (await setupKey(mirror, repository, at.commit)) !== key) return null;
  const { dataFolder } = environment;
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  aborted.catch(() => undefined);
  const entry = await Promise.race([
    inTurn(`${dataFolder}\n${key}`, async () => {
      signal.throwIfAborted();
      return (await findPrepared(dataFolder, key)) ?? (await fill(code, key, base));
    }),
    aborted,
  ]);
  if (entry === null || entry.problem !== null) return null;
  // What the work has in those places is the work's.
  return (await tracksAny(mirror, at.commit, entry.made)) ? null : { key, entry };
}

/** Runs `setup` on the base, in a checkout and a home that no attempt ever used, and keeps what it made. @returns null when it fails */
async function fill(code: CodeAttempt, key: string, base: string): Promise<Entry | null> {
  const { repository, environment, signal } = code;
  const checkout = await code.checkout('setup', base);
  try {
    const [run] = await runCommands(code, checkout, [{ step: 'setup', command: repository.setup }], { home: 'setup' });
    if (run === undefined || run.problem !== null) return null;
    const changed = await restoreTracked(checkout, base, signal);
    const made = await madeBesides(checkout, base, signal);
    const problem = changed > 0 ? 'it changes tracked files' : problemOfMade(made, repository);
    if (problem !== null)
      environment.logger.info({ repository: repository.name, reason: problem }, 'setup runs in every worktree');
    return await keepPrepared(environment.dataFolder, key, { path: checkout.path, base, made, problem });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ProcessNotStarted) throw error;
    environment.logger.warn({ reason: oneLine(error) }, 'cannot keep a prepared folder: setup runs every time');
    return null;
  } finally {
    await removeCheckout(checkout);
  }
}
