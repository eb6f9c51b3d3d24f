import { z } from 'zod';
import { lastLines } from '../../failures.ts';
import { limitIn } from '../outcome.ts';
import { flag, noteOf, objectsIn, sessionIn, shortly, type Profile } from './profile.ts';

const item = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  command: z.string().optional(),
  changes: z.array(z.looseObject({ path: z.string() })).optional(),
  items: z.array(z.looseObject({ text: z.string(), completed: z.boolean() })).optional(),
});
const event = z.looseObject({
  type: z.string(),
  thread_id: z.string().optional(),
  message: z.string().optional(),
  error: z.looseObject({ message: z.string() }).nullish(),
  usage: z.looseObject({ input_tokens: z.number(), output_tokens: z.number() }).nullish(),
  item: item.optional(),
});

const FIND = `find "\${CODEX_HOME:-$HOME/.codex}/sessions" -type f -name "*$1*" 2>/dev/null | grep -q .`;
const STDERR_LINES = 3;

const sessionOf = (events: readonly z.infer<typeof event>[]): string | null =>
  sessionIn(events.find(({ type }) => type === 'thread.started')?.thread_id);

/** Codex (`codex exec --json`): its last turn must have been completed, and its exit code be 0. It tells tokens, not money. */
export const codex: Profile = {
  command: ({ command, options }, { session }) => [
    ...command,
    ...['exec', '--json', '--skip-git-repo-check', '--sandbox', options.permissionMode ?? 'workspace-write'],
    ...flag('--model', options.model),
    ...flag('resume', session),
    '-',
  ],
  prompt: 'stdin',
  note: (line) => {
    const [read] = objectsIn(line, event);
    const shown = read?.item;
    if (shown === undefined || !(read?.type ?? '').startsWith('item.')) return null;
    if (shown.items !== undefined) {
      const done = shown.items.filter(({ completed }) => completed).length;
      const next = shown.items.find(({ completed }) => !completed) ?? shown.items.at(-1);
      return noteOf(next?.text, Math.round((100 * done) / Math.max(1, shown.items.length)));
    }
    const files = shown.changes?.map(({ path }) => path).join(', ');
    return noteOf(shown.text ?? shown.command ?? (files && `changes ${files}`));
  },
  judge: ({ stdout, stderr, problem }) => {
    const events = objectsIn(stdout, event);
    const last = events.findLast(({ type }) => type === 'turn.completed' || type === 'turn.failed');
    const error = last === undefined ? events.findLast(({ type }) => type === 'error')?.message : last.error?.message;
    const said = error ?? lastLines(stderr, STDERR_LINES).join(' | ');
    const told = {
      turns: events.filter(({ type }) => type === 'turn.started').length || null,
      tokens: last?.usage ? { input: last.usage.input_tokens, output: last.usage.output_tokens } : null,
      session: sessionOf(events),
    };
    if (last?.type === 'turn.completed') return { problem, costUsd: null, told };
    const what = last === undefined ? 'it completed no turn' : 'its turn failed';
    const whole = said.trim() === '' ? what : `${what}: ${shortly(said)}`;
    const limit = limitIn(said);
    return { problem: whole, costUsd: null, told, ...(limit !== null && { limit }) };
  },
  sessions: {
    find: FIND,
    lost: /no rollout found|thread (?:not loaded|\S+ not found)|thread\/resume failed/i,
    tokens: 'of the session',
    begun: (line) => sessionOf(objectsIn(line, event)),
  },
};
