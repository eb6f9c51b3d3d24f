import { z } from 'zod';
import type { Severity } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import type { Reported } from './report.ts';

/** Source: https://semgrep.dev/docs/semgrep-appsec-platform/json-and-sarif */
export const semgrepReport = z.object({
  results: z.array(
    z.object({
      check_id: z.string(),
      path: z.string(),
      start: z.object({ line: z.int() }),
      extra: z.object({ message: z.string(), severity: z.string(), fingerprint: z.string().optional() }),
    }),
  ),
  errors: z.array(z.unknown()),
});

const OF_WORD: Readonly<Record<string, Severity>> = {
  CRITICAL: 'critical',
  HIGH: 'high',
  ERROR: 'high',
  MEDIUM: 'medium',
  WARNING: 'medium',
  LOW: 'low',
  INFO: 'info',
  INVENTORY: 'info',
  EXPERIMENT: 'info',
};

export const reportedBySemgrep = ({ results }: z.infer<typeof semgrepReport>): Reported[] =>
  results.map(({ check_id, path, start, extra: { message, severity, fingerprint } }) => ({
    severity: OF_WORD[severity.toUpperCase()] ?? 'medium',
    rule: check_id,
    message,
    path,
    line: start.line,
    // Who is not logged in is given words in place of one.
    ...(fingerprint !== undefined && /^[0-9a-f]{16,}(_\d+)?$/.test(fingerprint) && { identity: fingerprint }),
  }));
