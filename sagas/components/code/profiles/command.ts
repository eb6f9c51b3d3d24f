import { claudeNote } from '../agent-notes.ts';
import { claudeOutcome, textLimit } from '../outcome.ts';
import { NOTHING_TOLD, type Profile } from './profile.ts';

const asConfigured: Pick<Profile, 'command' | 'prompt' | 'sessions'> = {
  command: ({ command }) => command,
  prompt: 'stdin',
  sessions: null,
};

/** Any command: its exit code tells. */
export const anyCommand: Profile = {
  ...asConfigured,
  note: () => null,
  judge: ({ output, problem }) => {
    const limit = problem === null ? null : textLimit(output);
    return { problem, costUsd: null, told: NOTHING_TOLD, ...(limit !== null && { limit }) };
  },
};

/** A command that prints Claude Code's result object, whatever else it does. */
export const claudeJson: Profile = {
  ...asConfigured,
  note: claudeNote,
  judge: ({ stdout, stderr }) => ({ ...claudeOutcome(stdout, stderr), told: NOTHING_TOLD }),
};
