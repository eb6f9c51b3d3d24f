const WORTH_TELLING = new Set(['warn', 'error', 'fatal']);

type LogLine = {
  readonly level?: string;
  readonly msg?: string;
  readonly reason?: string;
  readonly err?: { readonly message?: string };
  readonly error?: { readonly message?: string };
};

/** A log line of a service as a person reads it; null for those that only the log file needs. */
export function readableLine(service: string, line: string): string | null {
  const parsed = parse(line);
  if (parsed === null) return line.trim() === '' ? null : `${service}: ${line}`;
  if (!WORTH_TELLING.has(parsed.level ?? '')) return null;
  const reason = parsed.reason ?? parsed.err?.message ?? parsed.error?.message;
  return `${service}: ${parsed.msg ?? ''}${reason === undefined ? '' : ` (${reason.split('\n')[0]})`}`;
}

function parse(line: string): LogLine | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
