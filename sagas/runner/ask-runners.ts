import { createHash } from 'node:crypto';
import type { SetByApi } from '@workledger/shared/config/live.ts';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import { maskText } from '@workledger/shared/telemetry/mask.ts';
import { harmless } from '@workledger/shared/telemetry/one-line.ts';
import { ComponentFailure, type PerformContext } from '../engine/component.ts';
import { patientArtefacts, type ComponentEnvironment } from '../components/environment.ts';
import { asComponentFailure, failureOf } from '../components/failures.ts';
import { checkResult, stepOf, type InRun, type Perform } from '../components/run-component.ts';
import { createConnection, RunnerAway, type Answer, type Sent } from './connection.ts';
import { MAX_REQUEST_ARTEFACTS, MOST_ARTEFACTS, referencesIn, type CallFrame, type LastFrame } from './frames.ts';
import { answerForGit } from './git-logins.ts';
import { askModelsFor } from './models.ts';

export type RunnersOptions = Pick<
  ComponentEnvironment,
  | 'configuration'
  | 'configurationAt'
  | 'artefacts'
  | 'readTask'
  | 'logger'
  | 'drain'
  | 'models'
  | 'embeddings'
  | 'github'
> & {
  /** Addresses of all runners, such as `http://runner:8086`. */
  readonly urls: readonly string[];
  /** The secret that they share with sagas. */
  readonly key: string;
  readonly outages: Pick<Outages, 'watch'>;
  /** What the API has set at a revision, or now; left out: nothing. */
  readonly setAt?: ((revision?: number) => Promise<SetByApi>) | undefined;
  /** A runner that says nothing for so long is lost; default 20,000. */
  readonly silenceMilliseconds?: number;
};

/**
 * Has calls performed by runners: those about one repository by the same one, as long as it is there, so that its mirror is warm.
 * What came of a call is checked like a stranger's word before it is believed. A runner that is lost meanwhile is nobody's fault, and
 * the call is tried again; where none is there, or the one that had it stops, the error is an outage's (`isAway`), and no try.
 * @throws from each call: ComponentFailure, or the error of what is away
 */
export function askRunners(options: RunnersOptions): Perform {
  const { urls, artefacts, readTask, logger, outages, models, embeddings } = options;
  const connection = createConnection(options);

  /** The first of these that takes it. @throws RunnerAway @throws ComponentFailure when one refuses it for good */
  const begin = (places: readonly string[], sent: Sent, signal: AbortSignal): Promise<Answer> =>
    outages.watch(
      'runner',
      async () => {
        const reasons: string[] = [];
        for (const url of places) {
          const answer = await connection.ask(url, sent, signal);
          if (typeof answer !== 'string') return answer;
          reasons.push(`${new URL(url).origin} ${answer}`);
        }
        signal.throwIfAborted();
        throw new RunnerAway(`no runner takes the call: ${reasons.join('; ')}`);
      },
      (error) => error instanceof RunnerAway,
    );

  async function ask(
    places: readonly string[],
    step: string,
    sent: Sent,
    { signal, note, budgetUsd }: Pick<PerformContext, 'signal' | 'note'> & { readonly budgetUsd: number | null },
  ): Promise<unknown> {
    const answer = await begin(places, sent, signal);
    const store = patientArtefacts({ artefacts, logger }, signal);
    const known = new Set(sent.artefacts.map(({ digest }) => digest));
    const over = new AbortController();
    const answering = AbortSignal.any([signal, over.signal]);
    const askModels = askModelsFor({ models, embeddings }, { ...sent.call, budgetUsd }, signal);
    const askForGit = answerForGit(options, sent.call.request, signal);
    let last: LastFrame | null = null;
    let kept = 0;
    try {
      for await (const { header, bytes } of answer.frames())
        if (header.frame === 'artefact') {
          kept += 1;
          if (kept > MOST_ARTEFACTS) throw badAnswer(step, `keeps more than ${MOST_ARTEFACTS} artefacts`);
          await store.put(bytes, header.mediaType);
          known.add(header.digest);
        } else if (header.frame === 'note') {
          const { text, percent } = header;
          if (text !== '') note?.({ text: harmless(maskText(text)), percent });
        } else if (header.frame === 'ask') {
          const { ask, asked } = header;
          // Others may be asked meanwhile. What was paid is kept, whoever is there to be told.
          void (asked.what === 'git-token' ? askForGit(asked) : askModels(asked))
            .then((said) => connection.say(answer.url, sent.call.key, ask, said, answering))
            .catch(() => undefined);
        } else if (header.frame !== 'alive') {
          last = header;
          break;
        }
    } finally {
      over.abort();
    }
    if (last === null) throw lost(step, answer.url, 'the connection ended');
    if (last.frame === 'stopped') {
      signal.throwIfAborted();
      throw new RunnerAway(`${answer.url} stops, and gave the call back`);
    }
    // Else a runner could show what belongs to other tasks.
    if (referencesIn(last).some(({ digest }) => !known.has(digest)))
      throw badAnswer(step, 'names an artefact that it was not given and did not keep');
    if (last.frame === 'result') return last.result;
    throw new ComponentFailure(last.failure, last);
  }

  return async (name, definition, request, { key, signal, note }: PerformContext) => {
    const step = stepOf(name);
    try {
      const { title, description, words } = await readTask(request.taskId);
      const task = { title, description, words };
      const asked = definition.models?.(request).filter((model) => models?.names.includes(model)) ?? [];
      const known = asked.map((model) => ({ name: model, id: models?.idOf(model) ?? model }));
      const means = embeddings
        ? { model: embeddings.model, dimensions: embeddings.dimensions, batch: embeddings.batch }
        : null;
      const set = await options.setAt?.(request.configuration);
      const laidOver = set === undefined || set.revision < 0 ? {} : { set: set as CallFrame['set'] };
      const sent: Sent = {
        call: { frame: 'call', component: name, key, request, task, models: known, embeddings: means, ...laidOver },
        artefacts: await artefactsFor(step, request, patientArtefacts({ artefacts, logger }, signal)),
        givesGitTokens: options.github?.isApp === true,
      };
      const budgetUsd = definition.budgetUsd?.(request) ?? null;
      const places = ranked(urls, request.repository);
      if (definition.everywhere === undefined) {
        const result = await ask(places, step, sent, { signal, note, budgetUsd });
        checkResult(name, definition, result);
        return result;
      }
      const results = await everywhere(places, (url) => ask([url], step, sent, { signal, budgetUsd }), signal);
      for (const result of results) checkResult(name, definition, result);
      return definition.everywhere(results);
    } catch (error) {
      if (!signal.aborted && !(error instanceof ComponentFailure) && isAway(error)) throw error;
      throw asComponentFailure(step, error, signal);
    }
  };
}

/** One after the other: they may do the same at a third place. Those that are away have nothing that runs on. */
async function everywhere(
  places: readonly string[],
  ask: (url: string) => Promise<unknown>,
  signal: AbortSignal,
): Promise<unknown[]> {
  const results: unknown[] = [];
  let away: RunnerAway | null = null;
  for (const url of places)
    try {
      results.push(await ask(url));
    } catch (error) {
      if (signal.aborted || !(error instanceof RunnerAway)) throw error;
      away = error;
    }
  if (results.length === 0 && away !== null) throw away;
  return results;
}

/** Places in the order in which they are asked about a repository: when one goes or comes, only what was, or will be, its own moves. */
export const ranked = (urls: readonly string[], repository: string): string[] =>
  urls
    .map((url) => ({ url, rank: createHash('sha256').update(`${url}\n${repository}`).digest('hex') }))
    .sort((one, other) => (one.rank < other.rank ? -1 : 1))
    .map(({ url }) => url);

/** What the request names and the store has. */
async function artefactsFor(step: string, request: InRun, store: Artefacts): Promise<Sent['artefacts']> {
  const references = referencesIn(request);
  const size = references.reduce((sum, reference) => sum + reference.size, 0);
  if (size > MAX_REQUEST_ARTEFACTS) {
    const reason = `its request names ${size} bytes of artefacts: at most ${MAX_REQUEST_ARTEFACTS} are sent`;
    throw new ComponentFailure(failureOf(step, reason), { retryable: false });
  }
  const found: Sent['artefacts'][number][] = [];
  for (const reference of references) {
    const stored = await store.get(reference.digest);
    if (stored !== null) found.push({ ...reference, size: stored.bytes.byteLength, bytes: stored.bytes });
  }
  return found;
}

/** It took the call and was not heard of again: the work is done once more. */
const lost = (step: string, url: string, reason: string): ComponentFailure =>
  new ComponentFailure(failureOf(step, `the runner at ${new URL(url).origin} was lost: ${reason}`), {
    retryable: true,
    fault: 'work',
  });

const badAnswer = (step: string, what: string): ComponentFailure =>
  new ComponentFailure(failureOf(step, `the runner's answer ${what}`), { retryable: false });
