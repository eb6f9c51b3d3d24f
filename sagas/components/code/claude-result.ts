import { z } from 'zod';

const resultSchema = z.looseObject({
  type: z.literal('result'),
  subtype: z.string().optional(),
  is_error: z.boolean().optional(),
  num_turns: z.number().optional(),
  result: z.string().optional(),
  errors: z.array(z.unknown()).optional(),
  total_cost_usd: z.number().min(0).optional(),
});

export type ClaudeOutcome = { readonly problem: string | null; readonly costUsd: number | null };

/**
 * Judges Claude Code's `--output-format json` or `stream-json` by its result object: the exit code says nothing, an API
 * error ends with 0 and `subtype: "success"`, a prompt that never ran with no turn.
 */
export function claudeOutcome(stdout: Buffer): ClaudeOutcome {
  const found = resultIn(stdout.toString('utf8'));
  if (found === null) return { problem: 'printed no result object: run it with --output-format json', costUsd: null };
  const said =
    found.result ??
    found.errors?.map((error) => (typeof error === 'string' ? error : JSON.stringify(error))).join('; ');
  const detail = said === undefined || said === '' ? '' : `: ${said.slice(0, 500)}`;
  const costUsd = found.total_cost_usd ?? null;
  if (found.is_error === true) return { problem: `the agent reports an error${detail}`, costUsd };
  if (found.subtype !== undefined && found.subtype !== 'success')
    return { problem: `the agent stopped with ${found.subtype}${detail}`, costUsd };
  if ((found.num_turns ?? 0) < 1) return { problem: `the agent did not take a turn${detail}`, costUsd };
  return { problem: null, costUsd };
}

function resultIn(text: string): z.infer<typeof resultSchema> | null {
  const whole = parse(text);
  const candidates: unknown[] = Array.isArray(whole) ? whole : [whole];
  const inLines = text.split('\n').filter((line) => line.trimStart().startsWith('{'));
  for (const value of [...inLines.map(parse), ...candidates].reverse()) {
    const read = resultSchema.safeParse(value);
    if (read.success) return read.data;
  }
  return null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
