import { z } from 'zod';
import type { Severity } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import type { Reported } from './report.ts';

const level = z.enum(['none', 'note', 'warning', 'error']);
const message = z.object({ text: z.string().optional(), markdown: z.string().optional() });
const properties = z.object({ 'security-severity': z.union([z.string(), z.number()]).optional() });
const rule = z.object({
  id: z.string(),
  defaultConfiguration: z.object({ level: level.optional() }).optional(),
  properties: properties.optional(),
});
const location = z.object({
  physicalLocation: z
    .object({
      artifactLocation: z.object({ uri: z.string().optional() }).optional(),
      region: z.object({ startLine: z.int().optional() }).optional(),
    })
    .optional(),
});
const result = z.object({
  ruleId: z.string().optional(),
  ruleIndex: z.int().min(-1).optional(),
  kind: z.string().optional(),
  level: level.optional(),
  message,
  locations: z.array(location).optional(),
  partialFingerprints: z.record(z.string(), z.string()).optional(),
  suppressions: z.array(z.object({ status: z.string().optional() })).optional(),
  baselineState: z.string().optional(),
  properties: properties.optional(),
});

/**
 * SARIF 2.1.0, of which is read what says where and what.
 * Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export const sarifReport = z.object({
  version: z.literal('2.1.0'),
  runs: z.array(
    z.object({
      tool: z.object({ driver: z.object({ name: z.string(), rules: z.array(rule).optional() }) }),
      results: z.array(result).nullish(),
    }),
  ),
});
type Run = z.infer<typeof sarifReport>['runs'][number];
type Result = z.infer<typeof result>;

export const reportedBySarif = ({ runs }: z.infer<typeof sarifReport>): Reported[] => runs.flatMap(reportedByRun);

function reportedByRun({ tool, results }: Run): Reported[] {
  const rules = tool.driver.rules ?? [];
  const byId = new Map(rules.map((one) => [one.id, one]));
  return (results ?? []).filter(isComplaint).map((found) => {
    const known = byId.get(found.ruleId ?? '') ?? rules[found.ruleIndex ?? -1];
    const place = found.locations?.[0]?.physicalLocation;
    const identity = identityOf(found.partialFingerprints);
    return {
      severity: severityOf(found, known),
      rule: found.ruleId ?? known?.id ?? tool.driver.name,
      message: found.message.text ?? found.message.markdown ?? '',
      path: place?.artifactLocation?.uri ?? null,
      line: place?.region?.startLine ?? null,
      ...(identity !== null && { identity }),
    };
  });
}

/** What passed, what somebody accepted and what is gone is told by some tools, too. */
const isComplaint = ({ kind = 'fail', suppressions = [], baselineState }: Result): boolean =>
  (kind === 'fail' || kind === 'review' || kind === 'open') &&
  baselineState !== 'absent' &&
  !suppressions.some(({ status = 'accepted' }) => status === 'accepted');

function identityOf(fingerprints: Record<string, string> | undefined): string | null {
  const entries = Object.entries(fingerprints ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.length === 0 ? null : entries.map(([name, value]) => `${name}=${value}`).join('\n');
}

const OF_LEVEL: Readonly<Record<z.infer<typeof level>, Severity>> = {
  error: 'high',
  warning: 'medium',
  note: 'low',
  none: 'info',
};

/** A score of 0 to 10, as GitHub reads it, says more than the level does. */
function severityOf(found: Result, known: z.infer<typeof rule> | undefined): Severity {
  const score = Number(
    found.properties?.['security-severity'] ?? known?.properties?.['security-severity'] ?? Number.NaN,
  );
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  if (score > 0) return 'low';
  return OF_LEVEL[found.level ?? known?.defaultConfiguration?.level ?? 'warning'];
}
