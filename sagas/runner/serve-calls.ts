import { z } from 'zod';
import { MAX_ARTEFACT_BYTES, type Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Performer } from '../components/catalogue.ts';
import type { ComponentEnvironment } from '../components/environment.ts';
import { because, ComponentFailure } from '../engine/component.ts';
import { newestNote, type Note } from '../engine/notes.ts';
import { createAsking, type Asking } from './asking.ts';
import {
  ANSWERS_PATH,
  answerToAsked,
  BadFrames,
  CALLS_PATH,
  callKey,
  FRAMES,
  GIT_HEADER,
  MAX_LINE_BYTES,
  MAX_REQUEST_ARTEFACTS,
  MOST_ARTEFACTS,
  NOTES_HEADER,
  readFrames,
  referenceTo,
  requestFrame,
  STOP_PATH,
  type Asked,
  type CallFrame,
  type LastFrame,
} from './frames.ts';
import { gitLoginsThrough } from './git-logins.ts';
import { modelsThrough } from './models.ts';
import { createOutbox, type Outbox } from './outbox.ts';

/** Calls in hand: sagas hold their own limits, this one is for when many sagas share a runner. */
const MOST_CALLS = 64;
/** The processes of a call that is ended have two seconds, and their folders go: milliseconds, all in all. */
const END_MILLISECONDS = 8_000;

type CallsOptions = {
  readonly perform: Performer;
  /** Aborts as the runner is asked to stop. */
  readonly draining: AbortSignal;
  /** Asked then: what is in hand has this long to end by itself; then it is ended. */
  readonly finishMilliseconds: () => number;
};

export type Calls = {
  readonly routes: readonly Route[];
  /** Resolves when what is in hand has ended by itself, or has been ended after its time. */
  drain(): Promise<void>;
  /** Ends what is in hand; resolves when it has ended. */
  stop(): Promise<void>;
};

const NO_BYTES = new Uint8Array();

/** More than any model writes at once. */
const MOST_ANSWER_BYTES = 8 * 1024 * 1024;

type InHand = {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  readonly take: Asking['take'];
};

/** What whoever calls understands. */
type Caller = { readonly wantsNotes: boolean; readonly givesGitTokens: boolean };

const callerOf = (headers: Readonly<Partial<Record<string, string | undefined>>>): Caller => ({
  wantsNotes: headers[NOTES_HEADER] === '1',
  givesGitTokens: headers[GIT_HEADER] === '1',
});

/** What a call has from whoever called it. */
type AskedOfCaller = Pick<ComponentEnvironment, 'models' | 'embeddings' | 'gitLogins'>;

/** Why a call is ended. */
class RunnerStops extends Error {
  override name = 'RunnerStops';
}

/**
 * Performs calls over HTTP. A call ends with its connection, and everything that it started with it; a call under the same key ends
 * the earlier one first.
 */
export function serveCalls({ perform, draining, finishMilliseconds }: CallsOptions): Calls {
  const inHand = new Map<string, InHand>();

  async function end(key: string): Promise<boolean> {
    const ended = new Set<InHand>();
    // Of several that come under one key, each ends the one that was let in before it.
    for (let call = inHand.get(key); call !== undefined && !ended.has(call); call = inHand.get(key)) {
      ended.add(call);
      call.stop.abort(new Error('stopped'));
      await Promise.race([call.ended, pause(END_MILLISECONDS)]);
    }
    return ended.size > 0;
  }

  async function stop(): Promise<void> {
    const calls = [...inHand.values()];
    for (const call of calls) call.stop.abort(new RunnerStops('the runner stops'));
    await Promise.all(calls.map(({ ended }) => ended));
  }
  const finish = async (): Promise<void> => {
    await pause(finishMilliseconds());
    await stop();
  };
  draining.addEventListener('abort', () => void finish(), { once: true });

  async function begin(bytes: Uint8Array, caller: Caller, gone: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { call, artefacts } = await readRequest(bytes);
    await end(call.key);
    refuseWhere(draining.aborted, 'the runner is stopping');
    refuseWhere(inHand.size >= MOST_CALLS, `the runner has ${inHand.size} calls in hand`);
    const stopping = new AbortController();
    const signal = AbortSignal.any([gone, stopping.signal]);
    const outbox = createOutbox(gone);
    const send = (ask: number, asked: Asked): Promise<void> => outbox.send({ frame: 'ask', ask, asked }, NO_BYTES);
    const asking = createAsking(send);
    const asked = {
      ...modelsThrough(asking, call, signal),
      gitLogins: caller.givesGitTokens ? gitLoginsThrough(asking, signal) : null,
    };
    const ended = performInto(outbox, call, { artefacts, asked }, { signal, ...caller }).finally(() => {
      if (inHand.get(call.key) === entry) inHand.delete(call.key);
    });
    const entry: InHand = { stop: stopping, ended, take: asking.take };
    inHand.set(call.key, entry);
    return outbox.chunks();
  }

  async function performInto(
    outbox: Outbox,
    { component, key, request, task, set }: CallFrame,
    { artefacts, asked }: { readonly artefacts: ReadonlyMap<string, Stored>; readonly asked: AskedOfCaller },
    { signal, wantsNotes }: Pick<Caller, 'wantsNotes'> & { readonly signal: AbortSignal },
  ): Promise<void> {
    const own = {
      artefacts: artefactsOf(outbox, artefacts),
      readTask: () => Promise.resolve(task),
      ...asked,
      ...(set && { set }),
    };
    const over = new AbortController();
    const ending = AbortSignal.any([signal, over.signal]);
    const send = (said: Note): Promise<void> => outbox.send({ frame: 'note', ...said }, NO_BYTES);
    const note = wantsNotes ? newestNote(send, ending) : undefined;
    const last = await perform(component, request, { key, signal, note }, own).then(
      (result): LastFrame => ({ frame: 'result', result }),
      (error: unknown): LastFrame =>
        signal.reason instanceof RunnerStops ? { frame: 'stopped' } : failureFrame(error),
    );
    over.abort();
    await outbox.end(last);
  }

  return {
    drain: async () => void (await Promise.all([...inHand.values()].map(({ ended }) => ended))),
    stop,
    routes: [
      route({
        method: 'post',
        path: CALLS_PATH,
        role: ['service'],
        tag: 'calls',
        summary: 'Performs one call of a component; the answer lasts as long as it',
        raw: { mediaTypes: [FRAMES] },
        maxBodyBytes: MAX_REQUEST_ARTEFACTS + 2 * MAX_LINE_BYTES,
        answers: { 200: { description: 'Frames: what the component keeps, then its result.', mediaType: FRAMES } },
        problems: ['unavailable'],
        headers: z.object({ [NOTES_HEADER]: z.string().optional(), [GIT_HEADER]: z.string().optional() }),
        handler: async ({ bytes, headers, signal }) => ({
          stream: await begin(bytes, callerOf(headers), signal),
          mediaType: FRAMES,
        }),
      }),
      route({
        method: 'post',
        path: STOP_PATH,
        role: ['service'],
        tag: 'calls',
        summary: 'Ends a call; answers when it has ended',
        body: z.strictObject({ key: callKey }),
        answers: { 200: { description: 'Whether it was in hand.', schema: z.object({ stopped: z.boolean() }) } },
        handler: async ({ body }) => ({ json: { stopped: await end(body.key) } }),
      }),
      route({
        method: 'post',
        path: ANSWERS_PATH,
        role: ['service'],
        tag: 'calls',
        summary: 'Says what a call has asked: of models, or for git',
        body: answerToAsked,
        maxBodyBytes: MOST_ANSWER_BYTES,
        answers: { 200: { description: 'Whether somebody waited for it.', schema: z.object({ taken: z.boolean() }) } },
        handler: ({ body: { key, ask, said } }) =>
          Promise.resolve({ json: { taken: inHand.get(key)?.take(ask, said) ?? false } }),
      }),
    ],
  };
}

function refuseWhere(refused: boolean, reason: string): void {
  if (refused) throw new Problem('unavailable', `${reason}: ask again`, { headers: { 'Retry-After': '1' } });
}

type Stored = { readonly bytes: Uint8Array; readonly mediaType: string };

async function readRequest(body: Uint8Array): Promise<{ call: CallFrame; artefacts: ReadonlyMap<string, Stored> }> {
  const artefacts = new Map<string, Stored>();
  let call: CallFrame | null = null;
  try {
    for await (const { header, bytes } of readFrames(inOne(body), requestFrame))
      if (header.frame === 'artefact') artefacts.set(header.digest, { bytes, mediaType: header.mediaType });
      else if (call === null) call = header;
      else throw new BadFrames('more than one call');
    if (call === null) throw new BadFrames('no call');
    return { call, artefacts };
  } catch (error) {
    if (error instanceof BadFrames) throw new Problem('invalid-request', error.message);
    throw error;
  }
}

async function* inOne(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

/** What came with the call can be read; what is put goes out with the answer, and is not kept here. */
function artefactsOf(outbox: Outbox, given: ReadonlyMap<string, Stored>): Artefacts {
  const sent = new Set<string>();
  return {
    get: (digest) => Promise.resolve(given.get(digest) ?? null),
    put: async (bytes, mediaType): Promise<ArtefactReference> => {
      if (bytes.byteLength > MAX_ARTEFACT_BYTES)
        throw new RangeError(
          `artefact of ${bytes.byteLength} bytes: at most ${MAX_ARTEFACT_BYTES}: cut it or split it`,
        );
      const reference = referenceTo(bytes, mediaType);
      if (sent.has(reference.digest)) return reference;
      if (sent.size === MOST_ARTEFACTS) throw new RangeError(`more than ${MOST_ARTEFACTS} artefacts of one call`);
      sent.add(reference.digest);
      await outbox.send({ frame: 'artefact', ...reference }, bytes);
      return reference;
    },
  };
}

function failureFrame(error: unknown): LastFrame {
  // Whatever else was thrown: its words could hold a secret.
  const known = error instanceof ComponentFailure ? error : unforeseen(error);
  const { failure, retryable, fault, until, costUsd, prompt, agent } = known;
  const frame = { frame: 'failure', failure, retryable, fault, until, costUsd, prompt } as const;
  return { ...frame, ...(agent !== null && { agent }) };
}

const unforeseen = (cause: unknown): ComponentFailure =>
  new ComponentFailure(because('runner', 'an unforeseen error of the runner'), { retryable: true, cause });
