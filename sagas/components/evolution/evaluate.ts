import type { Metrics } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import type { CodeAttempt } from '../code/code-component.ts';
import { runCommands, type CommandRun } from '../code/commands.ts';
import { metricsOf, reportOf, withProtectedPaths } from '../code/validate.ts';
import { setUp } from '../code/setup.ts';
import { lastLines, refuse } from '../failures.ts';
import { withFiles } from '../git/files.ts';
import { treeOf } from '../git/trees.ts';
import { aloneOnMachine } from '../process/alone.ts';
import { type Marked, withoutMarkers } from './markers.ts';
import { digestOfCode, type Evaluation, keepEvaluation, type RunFolder } from './run-folder.ts';
import { FAILED, scoreOf, type Yardstick } from './score.ts';

export type Judging = {
  readonly code: CodeAttempt;
  readonly taskId: string;
  readonly base: string;
  /** What the program is a part of. */
  readonly parent: string;
  readonly file: string;
  readonly message: string;
  readonly marked: Marked;
  readonly folder: RunFolder;
  readonly yardstick: Yardstick;
  /** What the parent measures: it is not measured again. */
  readonly current: Metrics;
};

const LINES = 30;

/**
 * Judges programs that OpenEvolve asks about as any candidate is judged: as a commit in a checkout of its own, the protected paths as on
 * the base, by `setup`, `test` and `evaluate` of the registration. The same program is judged once.
 */
export function createJudge(judging: Judging): (program: string) => Promise<Evaluation> {
  const { folder } = judging;
  const underWay = new Map<string, Promise<Evaluation>>();
  return (program) => {
    const digest = digestOfCode(program);
    const known = folder.evaluations.get(digest);
    if (known !== undefined) return Promise.resolve(known);
    const asked = underWay.get(digest) ?? judge(judging, program).finally(() => underWay.delete(digest));
    underWay.set(digest, asked);
    return asked;
  };
}

async function judge(judging: Judging, program: string): Promise<Evaluation> {
  const { code, parent, file, message, marked, folder, yardstick, current } = judging;
  const { mirror, signal } = code;
  const number = folder.evaluations.size + 1;
  const text = withoutMarkers(program, marked);
  const commit = await withFiles(mirror, { commit: parent, files: new Map([[file, text]]), message, signal });
  const start = await treeOf(mirror, parent);
  const isStart = (await treeOf(mirror, commit)) === start;
  const judged = isStart
    ? { metrics: current, failure: null }
    : await tried(judging, start, commit, digestOfCode(program));
  const score = judged.metrics === null ? FAILED : scoreOf(yardstick, judged.metrics);
  const told: Evaluation = { number, code: program, commit, score, ...judged };
  await keepEvaluation(folder, told);
  return told;
}

type Judged = Pick<Evaluation, 'metrics' | 'failure'>;

/** @param start the tree of what the program is a part of */
async function tried(
  { code, taskId, base, file }: Judging,
  start: string,
  commit: string,
  name: string,
): Promise<Judged> {
  return code.beside(`evaluate-${name}`, async (inner) => {
    const { environment, repository, mirror, signal } = inner;
    const judged = await withProtectedPaths(inner, taskId, commit, base);
    if ((await treeOf(mirror, judged)) === start)
      return refuse('openevolve', `${file} is protected: nothing that evolves in it would count`);
    const checkout = await inner.checkout('evolve', judged);
    const setup = await setUp(inner, checkout, { taskId, commit: judged, base });
    const runs: CommandRun[] = setup === null ? [] : [setup];
    const passed = (): boolean => runs.every(({ problem }) => problem === null);
    if (passed()) runs.push(...(await runCommands(inner, checkout, [{ step: 'test', command: repository.test }])));
    if (passed())
      await aloneOnMachine(environment.dataFolder, signal, async () => {
        runs.push(...(await runCommands(inner, checkout, [{ step: 'evaluate', command: repository.evaluate }])));
      });
    return told(inner, runs);
  });
}

function told(code: CodeAttempt, runs: readonly CommandRun[]): Judged {
  const last = runs.at(-1);
  const said = (reason: string): string =>
    code.secrets.text([reason, ...lastLines(last?.result.output ?? '', LINES)].join('\n'));
  if (last !== undefined && last.problem !== null)
    return { metrics: null, failure: said(`${last.step}: ${last.problem}`) };
  try {
    const empty = { digest: '0'.repeat(64), size: reportOf([]).length, mediaType: 'text/plain' };
    return { metrics: metricsOf(code, runs, empty), failure: null };
  } catch (error) {
    if (!(error instanceof ComponentFailure)) throw error;
    return { metrics: null, failure: said(error.failure.reason) };
  }
}

/** The best of what was judged, the first of equals; null: nothing is better than the start. */
export function bestOf({ evaluations }: Pick<RunFolder, 'evaluations'>): Evaluation | null {
  const better = [...evaluations.values()].filter(({ score }) => score > 1);
  return better.toSorted((one, other) => other.score - one.score || one.number - other.number)[0] ?? null;
}
