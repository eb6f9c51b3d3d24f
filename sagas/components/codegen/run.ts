import { z } from 'zod';
import { artefact } from '@workledger/shared/contexts/values.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { promptSchema, soFar } from '../code/prompt.ts';
import { repositoryOf } from '../environment.ts';
import { failureOf, refuse } from '../failures.ts';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import { isUnanswered, LimitReached, NotAllowed } from '@workledger/shared/outbound/failures.ts';
import { defineComponent, inRun, type Call } from '../run-component.ts';
import { CodegenRefused, runSchema, type Codegen, type CodegenRun } from './codegen.ts';
import { findRun, metadataOf, standingOf } from './find-run.ts';
import { codegenPrompt } from './words.ts';

const STEP = 'codegen';
/** For its beginning, with the waits for its limit of runs in a minute. */
const BEGIN_SECONDS = 600;
const STOP_SECONDS = 300;
const MOST_SECONDS = 90_000;
const turns = { atOnce: () => 16 };

/** Of this machine's Codegen. @throws ComponentFailure where it has none */
const codegenOf = ({ environment: { codegen } }: Pick<Call, 'environment'>): Codegen =>
  codegen ?? refuse(STEP, 'Codegen is not in the configuration: say "codegen"');

/** Begins a run for a task, once: what was begun under this name before, and not told, is found again. */
export const begin = defineComponent({
  request: inRun.extend({
    /** Of the run's own, the same after a kill. */
    label: z.string(),
    parent: z.string(),
    prompt: promptSchema,
  }),
  result: z.object({
    run: z.int(),
    url: z.string().nullable(),
    prompt: artefact,
    /** When its time begins. */
    begunAt: z.string(),
    timeoutSeconds: z.number(),
    /** US dollars that it takes, however it ends. */
    priceUsd: z.number(),
  }),
  limits: { turns, seconds: () => BEGIN_SECONDS },
  perform: async (request, call) => {
    const codegen = codegenOf(call);
    const { environment, signal, secrets } = call;
    const repository = repositoryOf(environment, STEP, request.repository);
    const own = repository.generate?.codegen ?? refuse(STEP, `repository "${request.repository}" is none of Codegen's`);
    const task = await environment.readTask(request.taskId);
    const before = await soFar(task, request.prompt, environment.artefacts);
    const text = secrets.text(codegenPrompt(task, { repository, parent: request.parent, soFar: before }));
    const prompt = await environment.artefacts.put(Buffer.from(text), 'text/markdown; charset=utf-8');
    const marker = markerOf(request);
    const body = {
      ...{ prompt: text, metadata: metadataOf(marker) },
      ...(own.repositoryId !== null && { repo_id: own.repositoryId }),
      ...(own.model !== null && { model: own.model }),
      ...(own.agentType !== null && { agent_type: own.agentType }),
    };
    const { found } = await asFailures(call, () =>
      withinLimits(signal, () =>
        findOrMake(
          () => findRun(codegen, marker, signal),
          () => codegen.ask({ method: 'POST', path: '/agent/run', body }, runSchema, signal),
        ),
      ),
    );
    const { runUsd: priceUsd, timeoutSeconds } = codegen;
    const url = found.web_url ?? null;
    call.note?.({ text: `Codegen works on it: ${url ?? `run ${found.id}`}`, percent: null });
    return { run: found.id, url, prompt, begunAt: new Date().toISOString(), timeoutSeconds, priceUsd };
  },
});

/** The same for the same attempt, always. */
const markerOf = ({ runId, label }: { readonly runId: string; readonly label: string }): string => `${runId}/${label}`;

/** Waits until a run is over, as long as it may take. Whoever asks again goes on waiting for the same. */
export const wait = defineComponent({
  request: inRun.extend({ run: z.int(), begunAt: z.string(), timeoutSeconds: z.number(), priceUsd: z.number() }),
  result: z.object({
    status: z.string(),
    /** Of its first pull request that names one; null: it made none. */
    branch: z.string().nullable(),
    pullRequest: z.string().nullable(),
    /** All that it says of its end. */
    output: artefact,
  }),
  limits: { turns, seconds: () => MOST_SECONDS },
  perform: async (request, call) => {
    const codegen = codegenOf(call);
    const run = await asFailures({ ...call, costUsd: request.priceUsd }, () => untilOver(codegen, request, call));
    const { is, name } = standingOf(run);
    const pulls = run.github_pull_requests ?? [];
    const pull = pulls.find(({ head_branch_name: branch }) => branch != null);
    const said = call.secrets.text(
      [run.result, run.summary].filter((part) => part != null && part !== '').join('\n\n'),
    );
    const text = [`Codegen's run ${run.id}: ${name}`, run.web_url ?? '', said, ...pulls.map(({ url }) => url ?? '')];
    const bytes = Buffer.from(text.filter((part) => part !== '').join('\n\n'));
    const output = await call.environment.artefacts.put(bytes, 'text/plain; charset=utf-8');
    if (is === 'good')
      return { status: name, branch: pull?.head_branch_name ?? null, pullRequest: pull?.url ?? null, output };
    const reason = `Codegen's run ${run.id} ended with ${name}`;
    throw new ComponentFailure(failureOf(STEP, reason, { output: said, log: output }), {
      ...{ retryable: false, fault: 'work', costUsd: request.priceUsd },
    });
  },
});

async function untilOver(
  codegen: Codegen,
  { run, begunAt, timeoutSeconds }: { readonly run: number; readonly begunAt: string; readonly timeoutSeconds: number },
  { environment: { logger }, signal, note }: Call,
): Promise<CodegenRun> {
  const endsAt = Date.parse(begunAt) + 1_000 * timeoutSeconds;
  let seen = '';
  for (;;) {
    const found = await lookAt(codegen, run, signal).catch((error: unknown) => {
      // A run goes on although nobody can look at it for a while.
      if (!isUnanswered(error)) throw error;
      logger.debug({ run, reason: oneLine(error) }, 'cannot look at a run of Codegen now: it is waited for');
      return null;
    });
    if (found !== null) {
      const { is, name, known } = standingOf(found);
      if (is !== 'under way') return found;
      if (name !== seen && !known) logger.warn({ run, status: name }, 'a run of Codegen has a state that nobody knows');
      if (name !== seen) note?.({ text: `Codegen: ${name}`, percent: null });
      seen = name;
    }
    if (Date.now() >= endsAt) return refuse(STEP, `Codegen's run ${run} came to no end within ${timeoutSeconds} s`);
    await pause(codegen.lookMilliseconds, signal);
    signal.throwIfAborted();
  }
}

const lookAt = (codegen: Codegen, run: number, signal: AbortSignal): Promise<CodegenRun> =>
  codegen.ask({ method: 'GET', path: `/agent/run/${run}` }, runSchema, signal);

/** Ends a run and whatever Codegen would still do about its pull requests, and closes these: their work is taken, or no use. */
export const stop = defineComponent({
  request: inRun.extend({ label: z.string(), run: z.int().nullable() }),
  result: z.object({ outcome: z.enum(['stopped', 'none']), closed: z.number() }),
  limits: { turns: { atOnce: () => 4 }, seconds: () => STOP_SECONDS },
  perform: async (request, call) => {
    const codegen = codegenOf(call);
    const { signal } = call;
    return asFailures(call, async () => {
      const known = request.run === null ? await findRun(codegen, markerOf(request), signal) : null;
      const id = request.run ?? known?.id ?? null;
      if (id === null) return { outcome: 'none' as const, closed: 0 };
      const body = { agent_run_id: id };
      // The same again changes nothing.
      await codegen.ask({ method: 'POST', path: '/agent/run/ban', body, idempotent: true }, z.unknown(), signal);
      const { github_pull_requests: pulls } = await lookAt(codegen, id, signal);
      let closed = 0;
      for (const { id: pull } of pulls ?? []) {
        if (pull == null) continue;
        const closing = { method: 'PATCH', path: `/prs/${pull}`, body: { state: 'closed' } } as const;
        await codegen.ask(closing, z.unknown(), signal);
        closed++;
      }
      return { outcome: 'stopped' as const, closed };
    });
  },
});

/** Tries again when a limit ends that ends soon enough. */
async function withinLimits<Result>(signal: AbortSignal, action: () => Promise<Result>): Promise<Result> {
  for (;;)
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      const rest = error.until.getTime() - Date.now();
      if (rest > (1_000 * BEGIN_SECONDS) / 4) throw error;
      await pause(Math.max(rest, 10), signal);
      signal.throwIfAborted();
    }
}

/** That Codegen is away or refuses is no fault of this machine: whoever asks goes on to the next that can write. */
async function asFailures<Result>(
  { signal, costUsd = null }: Pick<Call, 'signal'> & { readonly costUsd?: number | null },
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ComponentFailure && error.costUsd === null)
      throw new ComponentFailure(error.failure, { ...error, costUsd, cause: error });
    if (!isUnanswered(error) && !(error instanceof CodegenRefused) && !(error instanceof NotAllowed)) throw error;
    const options = { retryable: false, fault: 'work', costUsd, cause: error } as const;
    throw new ComponentFailure(failureOf(STEP, oneLine(error)), options);
  }
}
