import { z } from 'zod';
import type { AgentTold, ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { codeComponent, type CodeAttempt } from '../code/code-component.ts';
import { storeDiff } from '../code/change.ts';
import { promptSchema, soFar } from '../code/prompt.ts';
import { work } from '../code/work.ts';
import { gatheredForPrompt } from '../context/gather.ts';
import { failureOf } from '../failures.ts';
import { ensureCommits } from '../git/commits.ts';
import { GitFailure } from '../git/git.ts';
import { withFiles } from '../git/files.ts';
import { resultOf } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { treeOf } from '../git/trees.ts';
import { ModelRefused, saidIn } from '../models/providers.ts';
import { modelsFor, toldOf, type Models } from '../models/models.ts';
import { isUnanswered, NotAllowed } from '@workledger/shared/outbound/failures.ts';
import { inRun } from '../run-component.ts';
import { askAutogenlib, installedAutogenlib, type Installed } from './autogenlib.ts';
import { Unfit } from '../state.ts';
import { filesIn, UnusableAnswer, type WantedFiles } from './answer.ts';
import { chatOf } from './chat-words.ts';
import { shownFiles, type Shown } from './shown-files.ts';
import { brokenSyntax } from './syntax.ts';

const STEP = 'chat';
/** For one answer, with the waits for a model that takes nothing more for a while. */
const SECONDS = 2_400;

const chatRequest = inRun.extend({
  /** One of the configured models. */
  model: z.string(),
  parent: z.string(),
  /** Names the result: kept in the origin under refs/workledger/<taskId>/<runId>/<label>. */
  label: z.string(),
  prompt: promptSchema,
});
type ChatRequest = z.infer<typeof chatRequest>;

/**
 * Asks a model once to write the code of a task, and leaves what it answers in the origin as a commit, as `code.work` does. Nothing of the
 * answer is run. The same call again is told what was answered, and pays for nothing.
 */
export const chat = codeComponent({
  request: chatRequest,
  result: work.result,
  limits: { turns: { atOnce: () => 8 }, seconds: () => SECONDS },
  models: ({ model }) => [model],
  act: async (asked, code) => {
    const { environment, mirror, signal, secrets } = code;
    const { taskId, parent, label } = asked;
    const models = modelsFor(code.environment, STEP, asked.model);
    await ensureCommits(mirror, taskId, [parent], signal);
    const startedAt = performance.now();
    const task = await environment.readTask(taskId);
    const { text: context, told: ofContext } = await gatheredForPrompt(code, { taskId, commit: parent });
    const words = `${task.title}\n${task.description}`;
    const found = ofContext.gathered?.files ?? [];
    const shown = await shownFiles(mirror, { commit: parent, words, found, secrets, signal });
    const before = await soFar(task, asked.prompt, environment.artefacts);
    const request = chatOf(task, { repository: code.repository, shown, context, soFar: before, secrets });
    const asText = request.messages.map(({ content }) => String(content)).join('\n\n');
    const prompt = await environment.artefacts.put(Buffer.from(asText), 'text/markdown; charset=utf-8');
    code.note?.({ text: `the model "${asked.model}" is asked`, percent: null });
    const answer = await answerOf(models, { asked, request, code, prompt, task: secrets.text(asText) });
    const output = await environment.artefacts.put(Buffer.from(secrets.text(answer.text)), 'text/plain; charset=utf-8');
    const { costUsd, agent } = answer;
    const fail = (reason: string): never => {
      const failure = failureOf(STEP, reason, { log: output, output: answer.text });
      throw new ComponentFailure(failure, { retryable: false, fault: 'work', costUsd, agent, prompt });
    };
    if (answer.isCut) fail(`the model "${asked.model}" did not come to an end: its answer is cut off`);
    const commit = await commitOf(code, { asked, shown, answer: answer.text, title: task.title }).catch(
      (error: unknown) =>
        error instanceof UnusableAnswer ? fail(`its answer cannot be taken: ${error.message}`) : throwOn(error),
    );
    const tree = await treeOf(mirror, commit);
    if (tree === (await treeOf(mirror, parent))) fail('the model changed nothing');
    const change = await storeDiff(code, STEP, parent, commit);
    await pushRef(mirror, { ref: resultOf(asked, label, commit), to: commit, expected: 'any', signal });
    const durationMs = Math.round(performance.now() - startedAt);
    const done = { commit, tree, ...change, prompt, output, exitCode: null, costUsd, durationMs, metrics: null };
    return { ...done, agent, ...ofContext };
  },
});

const throwOn = (error: unknown): never => {
  throw error;
};

/**
 * What the model says, paid once. That it does not answer is no fault of this machine: whoever asks goes on to the next that can write.
 * @throws ComponentFailure
 */
async function answerOf(
  models: Models,
  {
    asked,
    request,
    code,
    prompt,
    task,
  }: {
    readonly asked: ChatRequest;
    readonly request: ReturnType<typeof chatOf>;
    readonly code: CodeAttempt;
    readonly prompt: ArtefactReference;
    /** The request as one text. */
    readonly task: string;
  },
): Promise<{ text: string; isCut: boolean; costUsd: number; agent: AgentTold }> {
  const { signal, key } = code;
  const scope = `${asked.runId}/${asked.label}`;
  const autogenlib = await autogenlibOf(code);
  if (autogenlib !== null) code.note?.({ text: `autogenlib asks the model "${asked.model}"`, percent: null });
  try {
    if (autogenlib !== null) {
      const asking = { model: asked.model, scope, paidFor: key, budgetUsd: null, mayReuse: true, signal };
      const text = await askAutogenlib(code, autogenlib, { task, models, asking });
      const spent = await models.spent(scope);
      return { text, isCut: false, costUsd: spent.costUsd, agent: toldOf(spent) };
    }
    const answer = await models.chat({
      ...{ model: asked.model, request, scope, number: 0, paidFor: key, signal },
      ...{ budgetUsd: null, mayReuse: true, together: asked.repository },
    });
    const spent = await models.spent(scope);
    return { ...saidIn(answer), costUsd: spent.costUsd, agent: toldOf(spent) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ComponentFailure) {
      const spent = await models.spent(scope);
      const paid = { costUsd: spent.costUsd, agent: toldOf(spent), prompt, cause: error };
      throw new ComponentFailure(error.failure, { retryable: false, fault: 'work', ...paid });
    }
    if (!isUnanswered(error) && !(error instanceof ModelRefused) && !(error instanceof NotAllowed)) throw error;
    const options = { retryable: false, fault: 'work', prompt, cause: error } as const;
    throw new ComponentFailure(failureOf(STEP, oneLine(error)), options);
  }
}

/** autogenlib as the repository's registration has it; null: the model is asked by us. */
async function autogenlibOf({ repository, environment, signal }: CodeAttempt): Promise<Installed | null> {
  const python = repository.generate?.autogenlib?.python;
  if (python === undefined) return null;
  try {
    return await installedAutogenlib(python, environment, signal);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    environment.logger.warn(
      { repository: repository.name, reason: error.message },
      'the model is asked without autogenlib',
    );
    return null;
  }
}

/** @throws UnusableAnswer */
async function commitOf(
  { mirror, signal }: CodeAttempt,
  {
    asked: { parent, taskId, label },
    shown,
    answer,
    title,
  }: { readonly asked: ChatRequest; readonly shown: Shown; readonly answer: string; readonly title: string },
): Promise<string> {
  const files = withLineBreaks(filesIn(answer), shown);
  const all = new Set(shown.paths);
  for (const [path, text] of files) {
    const before = shown.files.get(path) ?? null;
    if (before === null && (text === null || all.has(path)))
      throw new UnusableAnswer(`${path} was not shown whole: it may not be changed`);
    const broken = text === null ? null : await brokenSyntax(path, text, before);
    if (broken !== null) throw new UnusableAnswer(`${path}: ${broken}`);
  }
  const message = `${title.slice(0, 200)}\n\nTask ${taskId}, ${label}\n`;
  try {
    const isNew = (path: string): boolean => !shown.files.has(path);
    return await withFiles(mirror, { commit: parent, files, message, signal, isNew });
  } catch (error) {
    if (error instanceof RangeError || (error instanceof GitFailure && error.exitCode !== null && !signal.aborted))
      throw new UnusableAnswer(error.message.slice(0, 500), { cause: error });
    throw error;
  }
}

/** A file keeps the line breaks that it had. */
const withLineBreaks = (files: WantedFiles, { files: shown }: Shown): WantedFiles =>
  new Map(
    [...files].map(([path, text]) => {
      const isDos = shown.get(path)?.includes('\r\n') === true;
      return [path, isDos && text !== null ? text.replaceAll('\n', '\r\n') : text] as const;
    }),
  );
