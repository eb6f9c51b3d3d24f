import type { ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import { currentContext } from '@workledger/shared/telemetry/request-context.ts';
import { ComponentFailure } from '../engine/component.ts';
import { failureOf } from '../components/failures.ts';
import { stepOf } from '../components/run-component.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import {
  ANSWERS_PATH,
  answerFrame,
  BadFrames,
  CALLS_PATH,
  encodeFrame,
  FRAMES,
  GIT_HEADER,
  NOTES_HEADER,
  readFrames,
  STOP_PATH,
  type CallFrame,
  type Frame,
  type Said,
} from './frames.ts';
import type { z } from 'zod';

/** No runner is there for a call; it was not begun, or given back. By its name it counts as an outage. */
export class RunnerAway extends Error {
  override name = 'RunnerAway';
}

export type Sent = {
  readonly call: CallFrame;
  readonly artefacts: readonly (ArtefactReference & { readonly bytes: Uint8Array })[];
  /** Whether it may ask for tokens for git. */
  readonly givesGitTokens: boolean;
};

type AnswerFrame = Frame<z.infer<typeof answerFrame>>;

/** A call that a runner has taken. */
export type Answer = {
  readonly url: string;
  /** @throws ComponentFailure when the runner is lost, or says what nobody understands */
  frames(): AsyncGenerator<AnswerFrame>;
};

type ConnectionOptions = { readonly key: string; readonly silenceMilliseconds?: number };

/** Four times what a runner says of itself in. */
const SILENCE_MILLISECONDS = 20_000;
const TOO_LONG = { said: 'failure', name: 'other', message: 'the answer is too long to be sent' } as const;
const READY_MILLISECONDS = 2_000;
/** A call that is stopped ends within this time, or its connection does. */
const STOP_MILLISECONDS = 10_000;

/** How calls are sent to runners. */
export function createConnection({ key, silenceMilliseconds = SILENCE_MILLISECONDS }: ConnectionOptions) {
  const authorization = { Authorization: `Bearer ${key}` };

  async function isReady(url: string): Promise<boolean> {
    try {
      const answer = await fetch(new URL('/health/ready', url), { signal: timeoutSignal(READY_MILLISECONDS) });
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }

  /** Ends a call that is in hand there, however that goes. */
  async function stop(url: string, callKey: string): Promise<void> {
    await fetch(new URL(STOP_PATH, url), {
      method: 'POST',
      redirect: 'error',
      headers: { ...authorization, 'Content-Type': 'application/json' },
      body: JSON.stringify({ key: callKey }),
      signal: timeoutSignal(STOP_MILLISECONDS),
    })
      .then((answer) => answer.body?.cancel())
      .catch(() => undefined);
  }

  /** Says what a call has asked. Where that cannot be said the call, which waits for it, ends in its time. */
  async function say(url: string, key: string, ask: number, said: Said, signal: AbortSignal): Promise<void> {
    const send = async (): Promise<void> => {
      const answer = await fetch(new URL(ANSWERS_PATH, url), {
        method: 'POST',
        redirect: 'error',
        headers: { ...authorization, 'Content-Type': 'application/json' },
        body: JSON.stringify({ key, ask, said }),
        signal: AbortSignal.any([signal, timeoutSignal(STOP_MILLISECONDS)]),
      });
      await answer.body?.cancel();
      if (answer.status === 413) return say(url, key, ask, TOO_LONG, signal);
      if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    };
    await keepTrying(send, { signal, shortest: 100, longest: 5_000 });
  }

  return {
    say,
    /**
     * Hands a call to a runner. When the signal aborts after it was taken, the runner is told, and the frames go on until it has ended
     * what it had begun.
     * @returns why it did not take it, where another one might @throws ComponentFailure when it refuses it for good
     */
    async ask(url: string, sent: Sent, signal: AbortSignal): Promise<Answer | string> {
      if (!(await isReady(url))) return 'is not ready';
      signal.throwIfAborted();
      const cut = new AbortController();
      // It may have begun already, though its answer is still on the way.
      let stopped = Promise.resolve();
      const cutNow = (): void => {
        stopped = stop(url, sent.call.key).finally(() => cut.abort(signal.reason));
      };
      signal.addEventListener('abort', cutNow, { once: true });
      const sending = fetch(new URL(CALLS_PATH, url), {
        method: 'POST',
        redirect: 'error',
        headers: {
          ...{ ...authorization, ...conversation(), 'Content-Type': FRAMES, [NOTES_HEADER]: '1' },
          ...(sent.givesGitTokens && { [GIT_HEADER]: '1' }),
        },
        body: bodyOf(sent),
        duplex: 'half',
        signal: cut.signal,
      });
      const response = await withDeadline(sending, silenceMilliseconds, url)
        .catch((error: unknown) => {
          cut.abort(error);
          return reasonOf(error);
        })
        .finally(() => signal.removeEventListener('abort', cutNow));
      await stopped;
      signal.throwIfAborted();
      if (typeof response === 'string') return `cannot be reached (${response})`;
      if (response.status !== 200 || response.body === null) return refusalOf(response, stepOf(sent.call.component));
      const body = response.body as AsyncIterable<Uint8Array>;
      return { url, frames: () => framesOf(body, { url, sent, cut, signal }) };
    },
  };

  async function* framesOf(
    body: AsyncIterable<Uint8Array>,
    { url, sent, cut, signal }: { url: string; sent: Sent; cut: AbortController; signal: AbortSignal },
  ): AsyncGenerator<AnswerFrame> {
    const over = new AbortController();
    const end = (): void => {
      void stop(url, sent.call.key);
      void pause(STOP_MILLISECONDS, over.signal).then(() => cut.abort());
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      yield* readFrames(audible(body, silenceMilliseconds), answerFrame);
    } catch (error) {
      const step = stepOf(sent.call.component);
      const how = error instanceof BadFrames ? 'sent what is not understood' : 'was lost';
      const reason = `the runner at ${new URL(url).origin} ${how}: ${reasonOf(error)}`;
      // A half answer is that of a runner that died while it wrote it.
      throw new ComponentFailure(failureOf(step, reason), { retryable: true, fault: 'work', cause: error });
    } finally {
      signal.removeEventListener('abort', end);
      over.abort();
      cut.abort();
    }
  }
}

/** @throws Error when nothing comes for too long; only waiting counts, not what is done with it */
async function* audible(chunks: AsyncIterable<Uint8Array>, milliseconds: number): AsyncGenerator<Uint8Array> {
  const reader = chunks[Symbol.asyncIterator]();
  for (;;) {
    const next = await withDeadline(reader.next(), milliseconds, 'the runner');
    if (next.done === true) return;
    yield next.value;
  }
}

async function* bodyOf({ call, artefacts }: Sent): AsyncGenerator<Uint8Array> {
  yield* encodeFrame(call);
  for (const { bytes, ...reference } of artefacts)
    yield* encodeFrame({ frame: 'artefact', ...reference } as const, bytes);
}

const HEADER_SAFE = /^[\x21-\x7e]+$/;

/** So that what the runner logs about the call carries the same ids. */
function conversation(): Record<string, string> {
  const { correlationId = '', traceparent = null } = currentContext() ?? {};
  return {
    ...(HEADER_SAFE.test(correlationId) && { 'X-Correlation-Id': correlationId }),
    ...(traceparent !== null && HEADER_SAFE.test(traceparent) && { traceparent }),
  };
}

/** Why a runner that answered did not take a call. @throws ComponentFailure where no other runner would, nor this one later */
async function refusalOf(response: Response, step: string): Promise<string> {
  const { status } = response;
  const document = (await response.json().catch(() => null)) as { detail?: unknown } | null;
  const detail = typeof document?.detail === 'string' ? `: ${document.detail}` : '';
  if (status === 401 || status === 403)
    return `does not know the key (${status}): give runner and sagas the same RUNNER_KEY_FILE`;
  if (status === 400 || status === 413 || status === 415)
    throw new ComponentFailure(failureOf(step, `the runner refuses the call (${status})${detail}`), {
      retryable: false,
    });
  return `answered ${status}${detail}`;
}

/** The system's own code, which fetch hides in a cause. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return String(inner);
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.message;
}
