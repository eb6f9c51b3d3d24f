import { metrics as schema, type Metrics } from '@workledger/shared/events/values.ts';

/** The last line that is a JSON object of finite numbers; null when there is none. */
export function metricsIn(output: Buffer): Metrics | null {
  for (const line of output.toString('utf8').split('\n').reverse()) {
    const found = line.trim().startsWith('{') ? parse(line) : null;
    if (found !== null) return found;
  }
  return null;
}

function parse(line: string): Metrics | null {
  try {
    const read = schema.safeParse(JSON.parse(line));
    return read.success && Object.keys(read.data).length > 0 ? read.data : null;
  } catch {
    return null;
  }
}
