import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { branchHead, fetchOrigin } from '../git/commits.ts';
import { git } from '../git/git.ts';
import { withoutCredentials } from '../git/names.ts';
import type { CodeEnvironment } from './environment.ts';
import { refuse } from './failures.ts';
import { inAttempt, type CodeAttempt } from './in-attempt.ts';
import { readMetrics } from './metrics.ts';
import { runCommands, type CommandRun } from './run-command.ts';

/** One thing that was tried before work starts. */
export type CheckResult = {
  /** What was tried: `repository "shop": test`. */
  readonly subject: string;
  readonly ok: boolean;
  /** What was found; when not ok, what to do. One line. */
  readonly detail: string;
};

/** Fetches a repository and runs its commands on the base, in a clean worktree, as they would be run for a task. */
export async function checkRepository(
  options: Pick<CodeEnvironment, 'configuration' | 'dataFolder'>,
  repository: Repository,
): Promise<CheckResult[]> {
  const readTask = () => refuse('check', 'a check works on no task');
  const environment: CodeEnvironment = { ...options, artefacts: nowhere, readTask, logger: silent };
  const subject = `repository "${repository.name}"`;
  const key = `check/${randomUUID()}`;
  const request = { taskId: key, runId: 'check', repository: repository.name };
  try {
    const context = { key, signal: new AbortController().signal };
    return await inAttempt(environment, 'check', request, context, (code) => tryAll(code, subject));
  } catch (error) {
    if (!(error instanceof ComponentFailure)) throw error;
    return [{ subject, ok: false, detail: oneLine(error.failure.reason) }];
  }
}

async function tryAll(code: CodeAttempt, subject: string): Promise<CheckResult[]> {
  const { repository, mirror, signal } = code;
  await fetchOrigin(mirror, null, signal);
  const base = await branchHead(mirror, repository.baseBranch);
  if (base === null) return refuse('check', `no branch "${repository.baseBranch}": set "baseBranch"`);
  const found = {
    subject,
    ok: true,
    detail: `${withoutCredentials(repository.url)}, ${repository.baseBranch} at ${base.slice(0, 12)}`,
  };
  const worktree = await code.checkout('check', base);
  const runs = await runCommands(code, worktree, [
    { step: 'setup', command: repository.setup },
    { step: 'test', command: repository.test },
  ]);
  if (runs.every(({ step, problem }) => step !== 'setup' || problem === null))
    runs.push(...(await runCommands(code, worktree, [{ step: 'evaluate', command: repository.evaluate }])));
  return [found, ...(await checkMerge(subject, repository)), ...runs.map((run) => judged(subject, run, repository))];
}

function judged(subject: string, run: CommandRun, { evolve }: Repository): CheckResult {
  const about = { subject: `${subject}: ${run.step}` };
  const ran = `${run.command.join(' ')}: ${run.problem ?? 'exit code 0'}`;
  if (run.problem !== null) {
    const last = run.result.output.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
    return { ...about, ok: false, detail: oneLine(last === '' ? ran : `${ran}. Last line: ${last}`) };
  }
  if (run.step !== 'evaluate') return { ...about, ok: true, detail: oneLine(ran) };
  const told = readMetrics(run.result.stdout);
  if ('problem' in told) return { ...about, ok: false, detail: told.problem };
  const { metrics } = told;
  if (evolve !== null && metrics[evolve.metric] === undefined)
    return { ...about, ok: false, detail: `printed no metric "${evolve.metric}", which "evolve" names` };
  return { ...about, ok: true, detail: JSON.stringify(metrics) };
}

/** Whether git would let us move the base branch forward: not where a person has it checked out. Only told for `fast-forward`. */
async function checkMerge(subject: string, repository: Repository): Promise<CheckResult[]> {
  const folder = localFolder(repository.url);
  if (repository.merge !== 'fast-forward' || folder === null) return [];
  const at = { cwd: folder, allow: [0, 1, 128] };
  const bare = (await git(['rev-parse', '--is-bare-repository'], at)).stdout.toString('utf8').trim();
  const head = (await git(['symbolic-ref', '--quiet', '--short', 'HEAD'], at)).stdout.toString('utf8').trim();
  const blocked = bare === 'false' && head === repository.baseBranch;
  const detail = blocked
    ? `"${head}" is checked out in ${folder}, git does not move it: use a bare repository or "merge": "never"`
    : `"${repository.baseBranch}" can be moved forward`;
  return [{ subject: `${subject}: merge`, ok: !blocked, detail }];
}

function localFolder(url: string): string | null {
  try {
    const path = url.startsWith('file://') ? fileURLToPath(url) : url;
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 500);

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
/** A check keeps nothing. */
const nowhere: Artefacts = {
  put: () => Promise.reject(new Error('a check keeps no artefacts')),
  get: () => Promise.resolve(null),
};
