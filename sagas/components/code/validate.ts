import { z } from 'zod';
import {
  artefact,
  type ArtefactReference,
  type Failure,
  failure as failureSchema,
  metrics as schema,
  type Metrics,
  metrics,
} from '@workledger/shared/contexts/values.ts';
import { checkResult } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf, refuse } from '../failures.ts';
import type { Checkout } from '../git/checkout.ts';
import { branchHead, ensureCommits, fetchOrigin, mergeBase } from '../git/commits.ts';
import { restorePaths } from '../git/make-commit.ts';
import { protectedPathsOf } from '../git/protected-paths.ts';
import { resultOf } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { aloneOnMachine } from '../process/alone.ts';
import { inRun } from '../run-component.ts';
import { checkLimits, type CodeAttempt, codeComponent, measureLimits } from './code-component.ts';
import { ofTests, reportOfChecks, runsOf, withFailedChecks } from './check-report.ts';
import { type CommandRun, runCommands } from './commands.ts';
import { runNamedChecks } from './named-checks.ts';
import { type At, runWithSetup, setUp } from './setup.ts';

/** What ran, how it ended and all its output, to be read by a person. */
export function reportOf(runs: readonly CommandRun[]): Buffer {
  const parts = runs.flatMap(({ step, command, result, problem }) => [
    Buffer.from(`[${step}] ${command.join(' ')}\n`),
    result.output,
    Buffer.from(`\n[${step}] ${problem ?? 'exit code 0'}, ${(result.durationMs / 1_000).toFixed(1)} s\n\n`),
  ]);
  return Buffer.concat(parts);
}

/** The failure of the last command; null when all passed. */
function failureOfRuns(runs: readonly CommandRun[], log: Failure['log']): Failure | null {
  const last = runs.at(-1);
  if (last === undefined || last.problem === null) return null;
  const { step, command, problem, result } = last;
  return failureOf(step, problem, { command, exitCode: result.exitCode, output: result.output, log });
}

/** Metrics of one measurement; an event has its limit. */
const METRICS = 200;
const NAME_LENGTH = 100;

/** What the last line that is not empty tells: metrics, or why they are none. */
export function readMetrics(output: Buffer): { readonly metrics: Metrics } | { readonly problem: string } {
  const line = output.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  const found = parse(line.trim());
  const names = typeof found === 'object' && found !== null && !Array.isArray(found) ? Object.keys(found) : [];
  if (names.length > METRICS)
    return { problem: `printed ${names.length} metrics: at most ${METRICS} are kept, print fewer` };
  if (names.some((name) => name.length > NAME_LENGTH))
    return { problem: `printed a metric whose name is longer than ${NAME_LENGTH} characters: shorten it` };
  const read = schema.safeParse(found);
  if (names.length > 0 && read.success) return { metrics: read.data };
  return { problem: 'printed no metrics: its last line must be one JSON object of finite numbers' };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}

/** Runs `setup` and `test` in a clean checkout of the commit, protected paths as they are in the base. A failing test is a result. */
export const validate = codeComponent({
  request: inRun.extend({ commit: z.string(), base: z.string() }),
  result: z.object({
    report: artefact,
    /** What was judged: the commit itself, or one on top of it with the protected paths restored. */
    commit: z.string(),
    protectedChanges: z.array(z.string()).readonly(),
    /** null: it passed. */
    failure: failureSchema.nullable(),
    /** What each check said; left out where the repository has none but its tests. */
    checks: z.array(checkResult).optional(),
  }),
  limits: checkLimits,
  act: async (request, code) => {
    const { mirror, signal, repository } = code;
    const { commit, base } = request;
    await ensureCommits(mirror, request.taskId, [commit, base], signal);
    const judged = await restorePaths(mirror, { commit, base, pathspecs: protectedPathsOf(repository), signal });
    const ref = resultOf(request, 'judged', judged.commit);
    if (judged.commit !== commit) await pushRef(mirror, { ref, to: judged.commit, expected: 'any', signal });
    const checkout = await code.checkout('validate', judged.commit);
    const at = { taskId: request.taskId, commit: judged.commit, base };
    const { runs, checks } = await runAll(code, checkout, at);
    const changes = judged.changed.map((path) => `protected path restored from the base: ${path}\n`).join('');
    const head = Buffer.from(`commit ${commit}, base ${base}\n${changes}\n`);
    const report = Buffer.concat([head, reportOf([...runs, ...runsOf(checks)]), reportOfChecks(checks)]);
    const stored = await code.environment.artefacts.put(report, 'text/plain; charset=utf-8');
    const failure = failureOfRuns(runs, stored);
    return {
      report: stored,
      commit: judged.commit,
      protectedChanges: shortened(judged.changed),
      failure: withFailedChecks(failure, checks, stored),
      ...(repository.checks.length > 0 && { checks: [ofTests(runs), ...checks.map(({ result }) => result)] }),
    };
  },
});

/** `setup`, the tests and the named checks; without those, as ever. */
export async function runAll(code: CodeAttempt, checkout: Checkout, at: At & { readonly base: string }) {
  const test = { step: 'test', command: code.repository.test };
  if (code.repository.checks.length === 0) return { runs: await runWithSetup(code, checkout, at, test), checks: [] };
  const setup = await setUp(code, checkout, at);
  if (setup !== null && setup.problem !== null) return { runs: [setup], checks: [] };
  const runs = setup === null ? [] : [setup];
  const checks = await runNamedChecks(code, checkout, at, async () => {
    runs.push(...(await runCommands(code, checkout, [test])));
  });
  return { runs, checks };
}

/** The commit that the events name as the work's start; requests written before this do not name it. */
export const recordedBase = z.string().optional();

/** Measures a commit with the registration's `evaluate` command. */
export const evaluate = codeComponent({
  request: inRun.extend({ commit: z.string(), base: recordedBase }),
  result: z.object({ metrics, output: artefact }),
  limits: measureLimits,
  act: async ({ taskId, commit, base }, code) => {
    await ensureCommits(code.mirror, taskId, [commit], code.signal);
    return measure(code, taskId, commit, base);
  },
});

/**
 * Runs the registration's `setup` and `evaluate` in a clean checkout of the commit. Protected paths are as they were
 * in the recorded base: a candidate does not write its own yardstick.
 * @throws ComponentFailure when a command fails or prints no metrics
 */
export async function measure(
  code: CodeAttempt,
  taskId: string,
  commit: string,
  base?: string,
): Promise<{ metrics: Metrics; output: ArtefactReference }> {
  const { repository, signal } = code;
  if (repository.evaluate === null)
    return refuse('evaluate', `repository "${repository.name}" has no evaluate command`);
  const judged = await withProtectedPaths(code, taskId, commit, base);
  const checkout = await code.checkout('evaluate', judged);
  const at = { taskId, commit: judged, base: base ?? null };
  const command = { step: 'evaluate', command: repository.evaluate };
  const runs = await runWithSetup(code, checkout, at, command, (run) =>
    aloneOnMachine(code.environment.dataFolder, signal, run),
  );
  const output = await code.environment.artefacts.put(reportOf(runs), 'text/plain; charset=utf-8');
  return { metrics: metricsOf(code, runs, output), output };
}

/**
 * What the last of these commands, `evaluate`, measured.
 * @param log of all of them @throws ComponentFailure when one failed or the last printed no metrics
 */
export function metricsOf(code: CodeAttempt, runs: readonly CommandRun[], log: ArtefactReference): Metrics {
  const failure = failureOfRuns(runs, log);
  if (failure !== null) throw new ComponentFailure(failure, { retryable: true, fault: 'work' });
  const last = runs.at(-1);
  const told = readMetrics(last?.result.stdout ?? Buffer.alloc(0));
  if ('metrics' in told) return maskedNames(code, told.metrics);
  code.signal.throwIfAborted();
  const parts = { command: last?.command ?? [], exitCode: 0, log, output: last?.result.output ?? '' };
  throw new ComponentFailure(failureOf('evaluate', told.problem, parts), { retryable: true, fault: 'work' });
}

/** They were read as they are; what is kept holds no secret. */
const maskedNames = ({ secrets }: CodeAttempt, told: Metrics): Metrics =>
  Object.fromEntries(Object.entries(told).map(([name, value]) => [secrets.text(name), value]));

/** The commit with protected paths as they are in the base. */
export async function withProtectedPaths(
  { repository, mirror, signal }: CodeAttempt,
  taskId: string,
  commit: string,
  recorded?: string,
): Promise<string> {
  const pathspecs = protectedPathsOf(repository);
  if (pathspecs.length === 0) return commit;
  const base = recorded ?? (await whereItLeft({ repository, mirror, signal }, taskId, commit));
  await ensureCommits(mirror, taskId, [base], signal);
  return (await restorePaths(mirror, { commit, base, pathspecs, signal })).commit;
}

/** For requests that were written before they named the base: where the work left the base branch. */
async function whereItLeft(
  { repository, mirror, signal }: Pick<CodeAttempt, 'repository' | 'mirror' | 'signal'>,
  taskId: string,
  commit: string,
): Promise<string> {
  if ((await branchHead(mirror, repository.baseBranch)) === null) await fetchOrigin(mirror, taskId, signal);
  const head = await branchHead(mirror, repository.baseBranch);
  const base = head === null ? null : await mergeBase(mirror, commit, head);
  return base ?? refuse('evaluate', `${commit} shares no history with ${repository.baseBranch}`);
}

/** Bytes of one list in a result, as JSON; an event has its limit. */
const LIST_BYTES = 16 * 1_024;
/** Kept for the line that tells how many are missing. */
const LAST_BYTES = 64;

/** The first paths, as many as fit an event, and how many more there are. */
export function shortened(paths: readonly string[]): readonly string[] {
  const bytesOf = (path: string): number => Buffer.byteLength(JSON.stringify(path)) + 1;
  if (paths.reduce((sum, path) => sum + bytesOf(path), 0) <= LIST_BYTES) return paths;
  const kept: string[] = [];
  let bytes = LAST_BYTES;
  for (const path of paths) {
    bytes += bytesOf(path);
    if (bytes > LIST_BYTES) break;
    kept.push(path);
  }
  return [...kept, `… and ${paths.length - kept.length} more`];
}
