import { readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { z } from 'zod';
import { ComponentFailure } from '../../engine/component.ts';
import { codeComponent, secondsFor } from '../code/code-component.ts';
import { storeDiff } from '../code/change.ts';
import { work } from '../code/work.ts';
import { failureOf, refuse } from '../failures.ts';
import { ensureCommits } from '../git/commits.ts';
import { resultOf } from '../git/names.ts';
import { readFileAt } from '../git/files.ts';
import { pushRef } from '../git/push.ts';
import { treeOf } from '../git/trees.ts';
import { modelsFor, toldOf } from '../models/models.ts';
import { inRun } from '../run-component.ts';
import { bestOf } from './evaluate.ts';
import { withMarkers } from './markers.ts';
import { openEvolvePackages } from './packages.ts';
import { openEvolveRequest, type OpenEvolveRequest } from './request.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import { type Ran, runOpenEvolve } from './run.ts';

const STEP = 'openevolve';
const FETCH_SECONDS = 1_200;

/** Whether OpenEvolve can run here: it is fetched where it is not there yet. */
export const environment = codeComponent({
  request: inRun.extend({ model: z.string() }),
  result: z.object({ version: z.string(), python: z.string() }),
  limits: { turns: { atOnce: () => 2 }, seconds: () => FETCH_SECONDS },
  models: ({ model }) => [model],
  act: async ({ model }, code) => {
    modelsFor(code.environment, STEP, model);
    const { version, python } = await openEvolvePackages(code.environment.dataFolder, STEP, code.signal);
    return { version, python };
  },
});

const PROGRAM_BYTES = 200_000;

/**
 * Lets OpenEvolve improve one file, and leaves the best of what it found in the origin as a commit, as `code.work` does. A repeat goes on
 * from its newest checkpoint, and pays for nothing again that was answered.
 */
export const openevolve = codeComponent({
  request: openEvolveRequest,
  result: work.result,
  limits: {
    turns: { atOnce: () => 2 },
    seconds: (asked, of) =>
      secondsFor(3, asked, of) + FETCH_SECONDS + (asked as OpenEvolveRequest).openevolve.timeoutSeconds,
  },
  models: ({ openevolve: { model } }) => [model],
  budgetUsd: ({ plan }) => plan.budgetUsd,
  act: async (asked, code) => {
    const { environment: at, mirror, signal } = code;
    const { taskId, runId, parent, label, openevolve: plan } = asked;
    const models = modelsFor(at, STEP, plan.model);
    const packages = await openEvolvePackages(at.dataFolder, STEP, signal);
    await ensureCommits(mirror, taskId, [parent, asked.base], signal);
    const bytes = await readFileAt(mirror, { commit: parent, path: plan.file, signal });
    if (bytes === null) return refuse(STEP, `${plan.file} is no file of ${parent}: see "evolve.openevolve.file"`);
    if (bytes.length > PROGRAM_BYTES)
      return refuse(STEP, `${plan.file} has ${bytes.length} bytes: at most ${PROGRAM_BYTES} evolve`);
    const marked = withMarkers(bytes.toString('utf8'), plan.file);
    const folder = await openRunFolder(at.dataFolder, `${runId}-${label}`, plan.file);
    const startedAt = performance.now();
    const spent = async () => {
      const of = await models.spent(scopeOf(asked), code.key);
      return { costUsd: of.costUsd, agent: toldOf(of) };
    };
    const ran = await runOpenEvolve({ code, asked, models, packages, folder, marked, scope: scopeOf(asked) }).catch(
      async (error: unknown) => {
        if (signal.aborted || !(error instanceof ComponentFailure)) throw error;
        const { retryable, fault, until } = error;
        throw new ComponentFailure(error.failure, { retryable, fault, until, ...(await spent()), cause: error });
      },
    );
    const paid = await spent();
    const output = await at.artefacts.put(await outputOf(folder, ran), 'text/plain; charset=utf-8');
    const prompt = await at.artefacts.put(Buffer.from(ran.configuration), 'text/yaml; charset=utf-8');
    const best = bestOf(folder);
    if (best === null) {
      const reason = `OpenEvolve found nothing better than the start${ran.why}`;
      const failure = failureOf(STEP, reason, { log: output, output: ran.output });
      throw new ComponentFailure(failure, { retryable: false, fault: 'work', ...paid, prompt });
    }
    const { commit } = best;
    const change = await storeDiff(code, STEP, parent, commit);
    await pushRef(mirror, { ref: resultOf(asked, label, commit), to: commit, expected: 'any', signal });
    const durationMs = Math.round(performance.now() - startedAt);
    const tree = await treeOf(mirror, commit);
    return { commit, tree, ...change, prompt, output, exitCode: 0, ...paid, durationMs, metrics: null };
  },
});

/** What is asked within it and was answered is not paid again, whichever attempt asks. */
const scopeOf = ({ runId, label }: OpenEvolveRequest): string => `${runId}/${label}`;

/** What it printed, and its trace: a line for each program. */
async function outputOf({ work: folder }: RunFolder, { output: printed, why }: Ran): Promise<Buffer> {
  const file = join(folder, 'output', 'evolution_trace.jsonl');
  // A link there could name what is none of its own.
  const isIts = await Promise.all([realpath(file), realpath(folder)]).then(
    ([one, own]) => one.startsWith(own + sep),
    () => false,
  );
  const trace = isIts ? await readFile(file) : Buffer.alloc(0);
  return Buffer.concat([printed, Buffer.from(`\nended${why}\nevolution_trace.jsonl\n`), trace.subarray(-TRACE_BYTES)]);
}

const TRACE_BYTES = 2_000_000;
