import { z } from 'zod';
import { claudeNote } from '../agent-notes.ts';
import { claudeOutcome } from '../outcome.ts';
import { counted, flag, objectsIn, sessionIn, type Profile } from './profile.ts';

const line = z.looseObject({
  type: z.string(),
  session_id: z.string().optional(),
  num_turns: z.number().nullish(),
  usage: z
    .looseObject({
      input_tokens: z.number().default(0),
      output_tokens: z.number().default(0),
      cache_read_input_tokens: z.number().default(0),
      cache_creation_input_tokens: z.number().default(0),
    })
    .nullish(),
  permission_denials: z.array(z.looseObject({ tool_name: z.string() })).nullish(),
});

/** A transcript belongs to the folder that it was begun in: it is laid where one of this folder would be. */
const FIND = `all="\${CLAUDE_CONFIG_DIR:-$HOME/.claude}/projects"
found=$(find "$all" -type f -name "$1.jsonl" 2>/dev/null | head -n 1)
[ -n "$found" ] || exit 3
here="$all/$(pwd -P | sed 's/[^A-Za-z0-9]/-/g')"
mkdir -p "$here" && { [ -f "$here/$1.jsonl" ] || cp "$found" "$here/"; }`;

/** Claude Code, headless: judged by its result object alone, for its exit code tells nothing. */
export const claudeCode: Profile = {
  command: ({ command, options }, { session, name = null }) => [
    ...command,
    ...['-p', '--output-format', 'stream-json', '--verbose', '--strict-mcp-config'],
    ...['--permission-mode', options.permissionMode ?? 'acceptEdits'],
    ...flag('--allowedTools', options.allowedTools.join(',')),
    ...flag('--model', options.model),
    ...flag('--max-turns', options.maxTurns),
    ...flag('--max-budget-usd', options.maxUsd),
    ...(session === null ? flag('--session-id', name) : flag('--resume', session)),
  ],
  prompt: 'stdin',
  note: claudeNote,
  judge: ({ stdout, stderr }) => {
    const lines = objectsIn(stdout, line);
    const result = lines.findLast(({ type }) => type === 'result');
    const usage = result?.usage;
    const refused = result?.permission_denials?.map(({ tool_name }) => tool_name) ?? [];
    return {
      ...claudeOutcome(stdout, stderr),
      told: {
        turns: result?.num_turns ?? null,
        tokens: usage
          ? {
              input: usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens,
              output: usage.output_tokens,
            }
          : null,
        session: sessionIn(lines.findLast(({ session_id }) => session_id !== undefined)?.session_id),
      },
      hint: refused.length === 0 ? undefined : `it was not allowed to use ${counted(refused)}: see allowedTools`,
    };
  },
  sessions: {
    ...{ find: FIND, lost: /No conversation found with session ID/i },
    ...{ tokens: 'of the attempt', begun: 'named' },
  },
};
