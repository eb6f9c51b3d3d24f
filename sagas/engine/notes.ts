import { z } from 'zod';
import type { Commands, CommandContext } from '@workledger/shared/commands/port.ts';
import { foreignText, uuid } from '@workledger/shared/contexts/text.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';

/** How far work is, in the words of whoever does it. */
export type Note = {
  readonly text: string;
  /** 0 to 100; null: not told. */
  readonly percent: number | null;
};

/** Takes a note; where nobody listens it is dropped. Never throws. */
export type TakeNote = (note: Note) => void;

/** UTF-16 units of a note that are kept. */
const LONGEST = 500;
/** Milliseconds between two notes of one call. */
const EVERY = 1_000;

/**
 * Passes on the newest note, one at a time and at most one in so many milliseconds, until the signal aborts; those in between are
 * dropped. That one could not be passed on is nobody's failure.
 * @param milliseconds default 1,000
 */
export function newestNote(
  send: (note: Note) => Promise<void>,
  signal: AbortSignal,
  milliseconds: number = EVERY,
): TakeNote {
  let waiting: Note | null = null;
  let busy = false;
  const pass = async (): Promise<void> => {
    busy = true;
    for (let next = waiting; next !== null && !signal.aborted; next = waiting) {
      waiting = null;
      await send({ ...next, text: foreignText(next.text, LONGEST) }).catch(() => undefined);
      await pause(milliseconds, signal);
    }
    busy = false;
  };
  return (note) => {
    waiting = note;
    if (!busy) void pass();
  };
}

const inRun = z.looseObject({ taskId: uuid, runId: uuid });

/** Where a note went, for whoever shows it at once. */
export type OnNote = (taskId: string, note: Note) => void;

/**
 * Reports the notes of one call as the progress of its task: a call names its run by the claim. A note that is refused, because the
 * claim is over, is dropped.
 * @param signal ends it
 */
export function reportNotes(
  { commands, onNote }: { readonly commands: Commands; readonly onNote?: OnNote | undefined },
  request: unknown,
  context: CommandContext,
  signal: AbortSignal,
): TakeNote | undefined {
  const named = inRun.safeParse(request);
  if (!named.success) return undefined;
  const { taskId, runId } = named.data;
  return newestNote(async ({ text, percent }) => {
    const data = { claimId: runId, note: text, percent };
    await commands.send({ type: 'task.report-progress', target: taskId, data }, context);
    onNote?.(taskId, { text, percent });
  }, signal);
}
