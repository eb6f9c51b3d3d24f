import { z } from 'zod';
import { lastLines } from '../../failures.ts';
import { limitIn } from '../outcome.ts';
import { flag, noteOf, objectsIn, sessionIn, shortly, type Profile } from './profile.ts';

const event = z.looseObject({
  type: z.string(),
  session_id: z.string().optional(),
  role: z.string().optional(),
  content: z.string().optional(),
  tool_name: z.string().optional(),
  status: z.string().optional(),
  message: z.string().optional(),
  error: z.looseObject({ message: z.string() }).nullish(),
  stats: z.looseObject({ input_tokens: z.number(), output_tokens: z.number() }).nullish(),
});

const isAnswer = ({ type, role }: z.infer<typeof event>): boolean =>
  type === 'tool_use' || (type === 'message' && role === 'assistant');

/** Exit codes that it documents. */
const EXITS: Readonly<Record<string, string>> = {
  'exit code 41': 'it is not logged in: hand on its key, or open its home',
  'exit code 53': 'it used all its turns: raise model.maxSessionTurns in its settings',
};
const STDERR_LINES = 3;

/**
 * Gemini CLI (`--output-format stream-json`): its result must be a success and its exit code 0, and it must have answered. Its sessions
 * belong to a folder, so a second attempt begins anew. It tells tokens, not money.
 */
export const geminiCli: Profile = {
  command: ({ command, options }) => [
    ...command,
    ...['--output-format', 'stream-json', '--approval-mode', options.permissionMode ?? 'auto_edit'],
    ...flag('--allowed-tools', options.allowedTools.join(',')),
    ...flag('--model', options.model),
  ],
  prompt: 'stdin',
  note: (line) => {
    const [read] = objectsIn(line, event);
    return read !== undefined && isAnswer(read) ? noteOf(read.tool_name ?? read.content) : null;
  },
  judge: ({ stdout, stderr, problem }) => {
    const events = objectsIn(stdout, event);
    const result = events.findLast(({ type }) => type === 'result');
    const warned = events.findLast(({ type }) => type === 'error')?.message;
    const { stats } = result ?? {};
    const told = {
      turns: null,
      tokens: stats ? { input: stats.input_tokens, output: stats.output_tokens } : null,
      session: sessionIn(events.find(({ type }) => type === 'init')?.session_id),
    };
    const outcome = { costUsd: null, told, hint: warned && shortly(warned) };
    if (result?.status === 'success' && problem === null)
      return { ...outcome, problem: events.some(isAnswer) ? null : 'it did not answer' };
    const said = result?.error?.message ?? warned ?? lastLines(stderr, STDERR_LINES).join(' | ');
    const what = EXITS[problem ?? ''] ?? (result === undefined ? 'it printed no result' : 'it reports an error');
    const limit = limitIn(said);
    const whole = said.trim() === '' ? what : `${what}: ${shortly(said)}`;
    return { ...outcome, problem: whole, ...(limit !== null && { limit }) };
  },
  sessions: null,
};
