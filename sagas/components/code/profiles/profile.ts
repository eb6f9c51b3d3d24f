import type { z } from 'zod';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import type { AgentTold } from '@workledger/shared/contexts/values.ts';
import type { Note } from '../../../engine/notes.ts';
import type { AgentOutcome } from '../outcome.ts';

type ToldByAgent = Omit<AgentTold, 'isResumed'>;

/** What an agent printed, and why its process does not count as ended well; null: exit code 0. */
type Ended = {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Both, as they came. */
  readonly output: Buffer;
  readonly problem: string | null;
};

export type Judged = AgentOutcome & {
  readonly told: ToldByAgent;
  /** What explains work that is missing, where something does. */
  readonly hint?: string | undefined;
};

type Start = {
  /** The session that it goes on with; null: a new one. */
  readonly session: string | null;
  /** What a new session is to be called, where its agent takes a name for it. */
  readonly name?: string | null;
  /** The file with the prompt, for an agent that takes one. */
  readonly promptFile: string;
};

/** How one kind of agent is started, followed and judged. */
export type Profile = {
  command(agent: AgentConfiguration, start: Start): readonly string[];
  readonly prompt: 'stdin' | 'file';
  /** What one line of its standard output tells of its progress. */
  note(line: string): Note | null;
  judge(ended: Ended): Judged;
  /** Null: it cannot go on with one in another folder. */
  readonly sessions: {
    /** For `sh`, in the agent's place and home with the session as `$1`: makes it known in this folder, exits with 0 if it is there. */
    readonly find: string;
    /** Words of a failure: the session was not found, and nothing was done. */
    readonly lost: RegExp;
    /** What the tokens that it tells are of, where it went on with a session. */
    readonly tokens: 'of the attempt' | 'of the session';
    /** How a new one is known before its agent ends: it takes the name that it is given (a UUID), or says its own in a line that it prints. */
    readonly begun: 'named' | ((line: string) => string | null);
  } | null;
};

export const NOTHING_TOLD: ToldByAgent = { turns: null, tokens: null, session: null };

/** A flag with its value, where there is one. */
export const flag = (name: string, value: string | number | null): string[] =>
  value === null || value === '' ? [] : [name, String(value)];

const SESSION = /^[A-Za-z0-9][A-Za-z0-9_-]{7,99}$/;

/** A session that may stand on a command line. */
export const sessionIn = (value: string | undefined): string | null =>
  value !== undefined && SESSION.test(value) ? value : null;

/** The objects that an output has, one a line, which fit; what does not is passed over. */
export function objectsIn<Schema extends z.ZodType>(output: Buffer | string, schema: Schema): z.infer<Schema>[] {
  return output
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      if (!line.startsWith('{')) return [];
      const read = schema.safeParse(parsed(line));
      return read.success ? [read.data] : [];
    });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}

const DETAIL_LENGTH = 500;

/** A note of the first line of what was said. */
export function noteOf(words: string | undefined, percent: number | null = null): Note | null {
  const text = words?.trim().split('\n')[0]?.trim() ?? '';
  return text === '' ? null : { text, percent };
}

/** Words of an agent, shortly. */
export const shortly = (words: string): string => words.trim().slice(0, DETAIL_LENGTH);

/** How often each is named, the most frequent first: `Bash 3, Edit 1`. */
export function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 10)
    .map(([name, count]) => `${name.slice(0, 60)} ${count}`)
    .join(', ');
}
