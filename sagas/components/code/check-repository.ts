import { randomUUID } from 'node:crypto';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { branchHead } from '../git/commits.ts';
import { fetchOrigin } from '../git/fetch.ts';
import { withoutCredentials } from '../git/without-credentials.ts';
import { checkMerge } from './check-merge.ts';
import type { CheckResult } from './check-result.ts';
import type { CodeEnvironment } from './environment.ts';
import { refuse } from './failures.ts';
import { inAttempt, type CodeAttempt } from './in-attempt.ts';
import { readMetrics } from './metrics.ts';
import { runCommands, type CommandRun } from './run-command.ts';

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

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 500);

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
/** A check keeps nothing. */
const nowhere: Artefacts = {
  put: () => Promise.reject(new Error('a check keeps no artefacts')),
  get: () => Promise.resolve(null),
};
