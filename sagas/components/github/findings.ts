import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  checkResult,
  type CheckResult,
  finding as findingSchema,
  type Finding,
} from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { linkToTask, type ComponentEnvironment } from '../environment.ts';
import { lineOfFinding } from '../reports/findings.ts';
import { inRun } from '../run-component.ts';
import { quoted } from './body.ts';
import { showCheck } from './check.ts';
import { githubComponent } from './repository.ts';
import { review, type Complaint } from './review.ts';

const request = inRun.extend({
  commit: z.string(),
  /** Of the pull request. */
  number: z.int().positive(),
  /** Our own check, whose name theirs begin with. */
  under: z.string().min(1).max(50),
  checks: z.array(checkResult).max(21),
});

const result = z.object({
  /** Checks that were told anew. */
  shown: z.int().min(0),
  review: z.enum(['made', 'unchanged', 'none']),
  /** Lines that the review speaks of. */
  comments: z.int().min(0),
});

const STATE: Readonly<Record<CheckResult['verdict'], 'success' | 'failure' | 'neutral'>> = {
  ...{ passed: 'success', failed: 'failure', advised: 'neutral' },
  ...{ unavailable: 'neutral', asks: 'neutral', skipped: 'neutral' },
};
const TITLE_LENGTH = 200;
/** GitHub takes so many in one request. */
const MOST_ANNOTATIONS = 50;

/** What named checks say of a commit: each beside it under its own name, and what they complain about in one review, on the lines it is about. */
export const findings = githubComponent({
  request,
  result,
  act: async (asked, repository, { environment }): Promise<z.infer<typeof result>> => {
    const { commit, checks, under, taskId, runId, number } = asked;
    const link = linkToTask(environment, taskId);
    const complaints: Complaint[] = [];
    let shown = 0;
    for (const check of checks) {
      const found = await findingsOf(environment, check);
      if (check.verdict === 'failed' || check.verdict === 'advised') complaints.push(...complaintsOf(check, found));
      const title = `${check.verdict}: ${check.reason}`.slice(0, TITLE_LENGTH).toWellFormed();
      const told = await showCheck(repository, {
        ...{ commit, name: `${under}/${check.name}`, externalId: runId, state: STATE[check.verdict], title, link },
        ...{ summary: quoted(found.slice(0, MOST_ANNOTATIONS).map(lineOfFinding).join('\n')).slice(0, 60_000) },
        annotations: found.flatMap(asAnnotation).slice(0, MOST_ANNOTATIONS),
      });
      if (told.outcome !== 'unchanged') shown += 1;
    }
    return { shown, ...(await review(repository, { taskId, number, commit, complaints })) };
  },
});

/** Kept by us, and bounded when they were. */
async function findingsOf({ artefacts }: ComponentEnvironment, { findings }: CheckResult): Promise<Finding[]> {
  const stored = findings === null ? null : await artefacts.get(findings.digest);
  if (stored === null) return [];
  const all = z.array(findingSchema).parse(JSON.parse(Buffer.from(stored.bytes).toString('utf8')));
  return all.filter(({ isNew }) => isNew !== false);
}

/** The same complaint has the same key, wherever its line moves; the second of two that are alike has another. */
function complaintsOf({ name }: CheckResult, found: readonly Finding[]): Complaint[] {
  const seen = new Map<string, number>();
  return found.map((finding) => {
    const count = (seen.get(finding.fingerprint) ?? 0) + 1;
    seen.set(finding.fingerprint, count);
    const key = createHash('sha256').update(`${name}\n${finding.fingerprint}\n${count}`).digest('hex').slice(0, 24);
    const { path, line } = finding;
    return { key, path, line, words: quoted(`**${name}**: ${finding.severity}: ${finding.message} [${finding.rule}]`) };
  });
}

const LEVEL = { critical: 'failure', high: 'failure', medium: 'warning', low: 'notice', info: 'notice' } as const;

const asAnnotation = ({ path, line, severity, message, rule }: Finding) =>
  path === null || line === null
    ? []
    : [
        {
          path,
          start_line: line,
          end_line: line,
          annotation_level: LEVEL[severity],
          title: rule,
          message: message || rule,
        },
      ];
