import type { EventMetadata } from '../events/recorded-event.ts';

/**
 * For so long a command id is remembered after its command took effect; then it stands for a new command. The command that
 * created a stream is remembered for ever.
 */
export const IDEMPOTENCY_WINDOW_SECONDS = 7 * 86_400;

/** What a command led to: the revision after it, and the hash of what it said. */
export type Remembered = { readonly revision: number; readonly hash: string };

/** Looked up by command id. */
export type RememberedCommands = Pick<ReadonlyMap<string, Remembered>, 'get' | 'has'>;

type Recent = Remembered & { /** When it was recorded, milliseconds since 1970. */ readonly at: number };

/** The commands that changed a stream, as far as they are remembered. */
export type CommandMemory = {
  creation: (Remembered & { readonly commandId: string }) | null;
  /** In the order of the log: what is over is at the front. */
  recent: Map<string, Recent>;
};

/** A command memory as JSON has it. */
export type KeptMemory = {
  readonly creation: CommandMemory['creation'];
  readonly recent: readonly (readonly [commandId: string, revision: number, hash: string, at: number])[];
};

const windowBegins = (now: number): number => now - IDEMPOTENCY_WINDOW_SECONDS * 1_000;

/** Notes the command of an event, and forgets those whose time is over. @param now milliseconds since 1970 */
export function remember(
  memory: CommandMemory,
  event: { readonly revision: number; readonly recordedAt: Date; readonly metadata: EventMetadata },
  now: number,
): void {
  const { commandId, commandHash: hash } = event.metadata;
  const { revision } = event;
  if (revision === 0 || memory.creation?.commandId === commandId) {
    memory.creation = { commandId, revision, hash };
    return;
  }
  const begins = windowBegins(now);
  for (const [old, { at }] of memory.recent) {
    if (at >= begins) break;
    memory.recent.delete(old);
  }
  const at = event.recordedAt.getTime();
  if (at < begins) return;
  memory.recent.delete(commandId);
  memory.recent.set(commandId, { revision, hash, at });
}

/**
 * What is remembered of a stream up to a revision; the memory itself goes on growing, and is too large to copy for every reader.
 * @param now milliseconds since 1970, asked at each look
 */
export function remembered(memory: CommandMemory, upTo: number, now: () => number): RememberedCommands {
  const get = (commandId: string): Remembered | undefined => {
    const { creation } = memory;
    const recent = memory.recent.get(commandId);
    const known =
      creation?.commandId === commandId
        ? creation
        : recent !== undefined && recent.at >= windowBegins(now())
          ? recent
          : undefined;
    return known !== undefined && known.revision <= upTo ? known : undefined;
  };
  return { get, has: (commandId) => get(commandId) !== undefined };
}

export const writeMemory = ({ creation, recent }: CommandMemory, now: number): KeptMemory => ({
  creation,
  recent: [...recent]
    .filter(([, { at }]) => at >= windowBegins(now))
    .map(([commandId, { revision, hash, at }]) => [commandId, revision, hash, at]),
});

export const readMemory = ({ creation, recent }: KeptMemory): CommandMemory => ({
  creation,
  recent: new Map(recent.map(([commandId, revision, hash, at]) => [commandId, { revision, hash, at }])),
});
