import { z } from 'zod';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import type { Read, Reported } from './report.ts';

const vulnerability = z.object({
  id: z.string(),
  fix_versions: z.array(z.string()),
  description: z.string().optional(),
});

/** Source: https://github.com/pypa/pip-audit#usage, `--format json` */
export const pipReport = z.object({
  dependencies: z.array(
    z.union([
      z.object({ name: z.string(), version: z.string(), vulns: z.array(vulnerability) }),
      z.object({ name: z.string(), skip_reason: z.string() }),
    ]),
  ),
});

/**
 * What pip-audit could not look up it skips, and ends well: where it looked up nothing, that is no report without findings.
 * It tells no severity: a known vulnerability is high.
 */
export function readPip({ dependencies }: z.infer<typeof pipReport>): Read {
  const skipped = dependencies.flatMap((one) => ('skip_reason' in one ? one.skip_reason : []));
  const [first] = skipped;
  if (first !== undefined && skipped.length === dependencies.length)
    return { unavailable: `pip-audit looked up none of ${skipped.length}: ${oneLine(first).slice(0, 300)}` };
  return {
    reported: dependencies.flatMap((dependency) =>
      'vulns' in dependency
        ? dependency.vulns.map(({ id, fix_versions: fixes, description = '' }): Reported => ({
            severity: 'high',
            rule: id,
            message: `${dependency.name} ${dependency.version}: ${fixes.length === 0 ? 'no fix is known' : `fixed in ${fixes.join(', ')}`}. ${firstLine(description)}`,
            path: null,
            line: null,
            identity: `${dependency.name} ${id}`,
          }))
        : [],
    ),
  };
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';
