import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { metrics } from '@workledger/shared/contexts/values.ts';
import type { OpenEvolvePlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import { removeFolder } from '../process/folders.ts';
import { languageOf, type Marked } from './markers.ts';

/** What one program came to, as it was judged here. */
const evaluation = z.object({
  /** In the order in which they came. */
  number: z.int(),
  code: z.string(),
  commit: z.string(),
  score: z.number(),
  metrics: metrics.nullable(),
  /** Why it does not count, and what was printed last; null: it does. */
  failure: z.string().nullable(),
});
export type Evaluation = z.infer<typeof evaluation>;

/**
 * All that one run of OpenEvolve has on this machine; it outlives the attempt, so that the next one goes on where this one was killed.
 * Programs of others only see `work`.
 */
export type RunFolder = {
  readonly folder: string;
  readonly work: string;
  /** Relative to `work`. */
  readonly program: string;
  /** When its first attempt began, milliseconds. */
  readonly begunAt: number;
  readonly evaluations: Map<string, Evaluation>;
};

const rootOf = (dataFolder: string): string => join(dataFolder, 'evolutions');
const STALE_MILLISECONDS = 7 * 86_400_000;

/** Opens the folder of a run's candidate, with what an earlier attempt left in it. Those that nobody came back to go. */
export async function openRunFolder(dataFolder: string, name: string, file: string): Promise<RunFolder> {
  const folder = join(rootOf(dataFolder), name);
  const work = join(folder, 'work');
  for (const made of [join(work, 'temporary'), join(folder, 'evaluations')])
    await mkdir(made, { recursive: true, mode: 0o700 });
  const begun = join(folder, 'begun');
  if (!existsSync(begun)) await writeFile(begun, '');
  await utimes(folder, new Date(), new Date());
  await sweep(dataFolder, name);
  const evaluations = new Map<string, Evaluation>();
  for (const one of await readdir(join(folder, 'evaluations'))) {
    const read = evaluation.safeParse(await readJson(join(folder, 'evaluations', one)));
    if (read.success && !one.startsWith('.')) evaluations.set(one, read.data);
  }
  return { folder, work, program: `program${extname(file)}`, begunAt: (await stat(begun)).mtimeMs, evaluations };
}

async function sweep(dataFolder: string, kept: string): Promise<void> {
  for (const name of await readdir(rootOf(dataFolder))) {
    const folder = join(rootOf(dataFolder), name);
    const about = name === kept ? null : await stat(folder).catch(() => null);
    if (about !== null && Date.now() - about.mtimeMs > STALE_MILLISECONDS) await removeFolder(folder);
  }
}

/** What the runs of one claim left on this machine goes. */
export async function removeRunFolders(dataFolder: string, runId: string): Promise<void> {
  for (const name of await readdir(rootOf(dataFolder)).catch(() => []))
    if (name.startsWith(`${runId}-`)) await removeFolder(join(rootOf(dataFolder), name));
}

export const digestOfCode = (code: string): string => createHash('sha256').update(code).digest('hex');

/** Kept before OpenEvolve is told, so that a later attempt tells it the same and runs nothing again. */
export async function keepEvaluation({ folder, evaluations }: RunFolder, told: Evaluation): Promise<void> {
  const name = digestOfCode(told.code);
  const file = join(folder, 'evaluations', name);
  const unfinished = join(folder, 'evaluations', `.${name}`);
  await writeFile(unfinished, JSON.stringify(told), { mode: 0o600 });
  await rename(unfinished, file);
  evaluations.set(name, told);
}

const metadata = z.looseObject({ last_iteration: z.int().min(1), islands: z.array(z.array(z.string())) });

/** The newest checkpoint that is whole; null: it begins anew. Those that were being written when all ended go. */
export async function newestCheckpoint({
  work,
}: Pick<RunFolder, 'work'>): Promise<{ readonly path: string; readonly iteration: number } | null> {
  const names = await readdir(join(work, 'output', 'checkpoints')).catch(() => []);
  const numbers = names.flatMap((name) => /^checkpoint_(\d{1,9})$/.exec(name)?.[1] ?? []).map(Number);
  for (const number of numbers.sort((a, b) => b - a)) {
    const path = join('output', 'checkpoints', `checkpoint_${number}`);
    const read = metadata.safeParse(await readJson(join(work, path, 'metadata.json')));
    const programs = read.success ? read.data.islands.flat() : [];
    const found = new Set(await readdir(join(work, path, 'programs')).catch(() => []));
    if (read.success && programs.length > 0 && programs.every((id) => found.has(`${id}.json`)))
      return { path, iteration: read.data.last_iteration };
    await rm(join(work, path), { recursive: true, force: true });
  }
  return null;
}

type Written = {
  readonly marked: Marked;
  readonly plan: OpenEvolvePlan;
  /** As its endpoint names it: OpenEvolve chooses parameters by it. */
  readonly model: string;
  readonly address: string;
  readonly systemMessage: string;
  /** Seconds for one evaluation at most. */
  readonly evaluationSeconds: number;
};

/** Writes what OpenEvolve reads. @returns its configuration, as it was written */
export async function writeWork({ work, program }: RunFolder, written: Written): Promise<string> {
  const { marked } = written;
  const text = configurationOf(program, written);
  // JSON is YAML.
  for (const [name, content] of [
    [program, marked.text],
    ['evaluator.py', EVALUATOR],
    ['config.yaml', text],
  ] as const) {
    // What an earlier attempt left there may be a link.
    await rm(join(work, name), { recursive: true, force: true });
    await writeFile(join(work, name), content, { flag: 'wx' });
  }
  return text;
}

const LONGEST_CODE = 200_000;
/** Seconds: an answer may wait for a limit of its model; the run's own time is kept by us. */
const LLM_SECONDS = 86_400;

function configurationOf(
  program: string,
  { marked, plan, model, address, systemMessage, evaluationSeconds }: Written,
): string {
  const configuration = {
    ...{ max_iterations: plan.iterations, checkpoint_interval: plan.checkpointEvery, log_level: 'INFO' },
    ...{ random_seed: 42, language: languageOf(program), file_suffix: extname(program) },
    ...{ diff_based_evolution: true, max_code_length: LONGEST_CODE, enforce_evolve_blocks: marked.own },
    llm: {
      ...{ provider: 'openai', api_base: `${address}/v1`, api_key: '${WORKLEDGER_EVOLUTION_TOKEN}' },
      models: [{ name: model, weight: 1 }],
      ...{ temperature: 0.7, max_tokens: 8_192, timeout: LLM_SECONDS, retries: 0, retry_delay: 1 },
    },
    prompt: { system_message: systemMessage, num_top_programs: 3, num_diverse_programs: 2, include_artifacts: true },
    database: { population_size: 500, archive_size: 50, num_islands: 2, log_prompts: false },
    evaluator: {
      ...{ timeout: evaluationSeconds, max_retries: 0, cascade_evaluation: false, use_llm_feedback: false },
      ...{ parallel_evaluations: plan.parallel, enable_artifacts: true },
    },
    evolution_trace: {
      ...{ enabled: true, format: 'jsonl', include_code: false, include_prompts: false, buffer_size: 1 },
    },
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

/** OpenEvolve loads it as a file: it only asks us what a program comes to, and runs nothing of it. */
const EVALUATOR = `import json
import os
import urllib.request

from openevolve.evaluation_result import EvaluationResult


def evaluate(program_path):
    with open(program_path, encoding="utf-8") as program:
        body = json.dumps({"code": program.read()}).encode("utf-8")
    request = urllib.request.Request(
        os.environ["WORKLEDGER_EVOLUTION_URL"] + "/evaluate",
        data=body,
        headers={
            "Authorization": "Bearer " + os.environ["WORKLEDGER_EVOLUTION_TOKEN"],
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request) as answer:
        told = json.load(answer)
    return EvaluationResult(metrics=told["metrics"], artifacts=told["artifacts"])
`;

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch {
    return null;
  }
}
