import { z } from 'zod';
import type { Severity } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import type { Read, Reported } from './report.ts';

const severity = z.enum(['critical', 'high', 'moderate', 'low', 'info']);
const advisory = z.object({
  source: z.union([z.string(), z.number()]),
  name: z.string(),
  title: z.string(),
  url: z.string().optional(),
  severity,
  range: z.string().optional(),
});

/**
 * The report of npm 7 and later. A package that only depends on a vulnerable one names that instead of an advisory.
 * Source: https://docs.npmjs.com/cli/v11/commands/npm-audit, `auditReportVersion` 2
 */
export const npmReport = z.object({
  auditReportVersion: z.literal(2),
  vulnerabilities: z.record(z.string(), z.object({ via: z.array(z.union([z.string(), advisory])) })),
});

const asSeverity = (word: z.infer<typeof severity>): Severity => (word === 'moderate' ? 'medium' : word);

export function reportedByNpm({ vulnerabilities }: z.infer<typeof npmReport>): Reported[] {
  const found = new Map<string, Reported>();
  for (const { via } of Object.values(vulnerabilities))
    for (const one of via) {
      if (typeof one === 'string') continue;
      const identity = `${one.name} ${one.source}`;
      const message = `${one.name} ${one.range ?? ''}: ${one.title}${one.url === undefined ? '' : ` (${one.url})`}`;
      const rule = /GHSA(-[0-9a-z]{4}){3}/.exec(one.url ?? '')?.[0] ?? String(one.source);
      found.set(identity, { severity: asSeverity(one.severity), rule, message, path: null, line: null, identity });
    }
  return [...found.values()];
}

const refusal = z.object({
  message: z.string().optional(),
  error: z.object({ code: z.string().optional(), summary: z.string().nullish(), detail: z.string().nullish() }),
});

/** What npm prints where its registry refuses or is away: an error in the place of a report. */
export function npmRefusal(text: string): Read | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const read = refusal.safeParse(value);
  if (!read.success) return null;
  const { message, error } = read.data;
  const said = [error.code, message ?? error.summary].filter(
    (part) => part !== undefined && part !== null && part !== '',
  );
  return { unavailable: `npm audit could not ask its registry: ${said.join(': ') || 'it did not say why'}` };
}
