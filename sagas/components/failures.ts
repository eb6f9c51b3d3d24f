import type { ArtefactReference, Failure } from '@workledger/shared/contexts/values.ts';
import { maskText } from '@workledger/shared/telemetry/mask.ts';
import { because, ComponentFailure } from '../engine/component.ts';
import { classifyGit } from './git/classify.ts';
import { GitFailure } from './git/git.ts';
import { RefMoved } from './git/push.ts';
import { AttemptEnded } from './process/attempt.ts';
import { ProcessNotStarted } from './process/run-process.ts';

const LINES = 20;
const LINE_LENGTH = 500;
const REASON_LENGTH = 4_000;

type FailureParts = {
  readonly command?: readonly string[];
  readonly exitCode?: number | null;
  readonly output?: Buffer | string;
  readonly log?: ArtefactReference | null;
};

/** A failure fit for an event: its last lines only, and no character that the log refuses. */
export function failureOf(step: string, reason: string, parts: FailureParts = {}): Failure {
  return {
    ...because(step, masked(printable(reason), REASON_LENGTH)),
    command: parts.command === undefined ? null : parts.command.map(printable),
    exitCode: parts.exitCode ?? null,
    lastLines: lastLines(parts.output ?? '', LINES).map((line) => masked(line, LINE_LENGTH)),
    log: parts.log ?? null,
  };
}

/** Looks at no more than a few times of what it keeps: a line may be all of an output. */
const masked = (text: string, length: number): string =>
  maskText(text.slice(0, 4 * length))
    .slice(0, length)
    .toWellFormed();

/** The last lines of an output, without its empty end. */
export function lastLines(output: Buffer | string, count: number): string[] {
  const text = printable(output.toString().trimEnd());
  return text === '' ? [] : text.split(/\r?\n/).slice(-count);
}

/** U+0000 is refused in events. */
const printable = (text: string): string => text.replaceAll('\0', '').toWellFormed();

/** @throws ComponentFailure always: the same again cannot help */
export function refuse(step: string, reason: string, cause?: unknown): never {
  throw new ComponentFailure(failureOf(step, reason), { retryable: false, fault: 'work', cause });
}

/** Any error of the rooms below as the failure of a step. */
export function asComponentFailure(step: string, error: unknown, signal: AbortSignal): ComponentFailure {
  if (error instanceof ComponentFailure) return error;
  if (signal.aborted)
    return new ComponentFailure(failureOf(step, stoppedBy(signal)), {
      retryable: true,
      fault: 'work',
      cause: error,
    });
  if (error instanceof GitFailure) {
    const { command, exitCode, stderr } = error;
    const { reason, ...options } = classifyGit({ command: command.slice(1), exitCode, stderr });
    const failure = failureOf(step, reason, { command, exitCode, output: stderr });
    return new ComponentFailure(failure, { ...options, cause: error });
  }
  if (error instanceof RefMoved || error instanceof AttemptEnded)
    return new ComponentFailure(failureOf(step, error.message), { retryable: true, fault: 'work', cause: error });
  const known = error instanceof RangeError || error instanceof ProcessNotStarted;
  const reason = error instanceof Error ? error.message : String(error);
  return new ComponentFailure(failureOf(step, reason), { retryable: !known, cause: error });
}

const stoppedBy = ({ reason }: AbortSignal): string =>
  reason instanceof Error && reason.name === 'TimeoutError' ? 'no end within its time limit' : 'stopped before its end';
