import { metrics as schema, type Metrics } from '@workledger/shared/contexts/values.ts';

/** Metrics of one measurement; an event has its limit. */
const METRICS = 200;
const NAME_LENGTH = 100;

/** What the last line that is not empty tells: metrics, or why they are none. */
export function readMetrics(output: Buffer): { readonly metrics: Metrics } | { readonly problem: string } {
  const line = output.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  const found = parse(line.trim());
  const names = typeof found === 'object' && found !== null && !Array.isArray(found) ? Object.keys(found) : [];
  if (names.length > METRICS)
    return { problem: `printed ${names.length} metrics: at most ${METRICS} are kept, print fewer` };
  if (names.some((name) => name.length > NAME_LENGTH))
    return { problem: `printed a metric whose name is longer than ${NAME_LENGTH} characters: shorten it` };
  const read = schema.safeParse(found);
  if (names.length > 0 && read.success) return { metrics: read.data };
  return { problem: 'printed no metrics: its last line must be one JSON object of finite numbers' };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
