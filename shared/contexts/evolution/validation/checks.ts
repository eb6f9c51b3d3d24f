import { z } from 'zod';
import { artefact } from '../../values.ts';

/** Worst first. */
export const severities = ['critical', 'high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof severities)[number];

const counts = z.strictObject({
  critical: z.int().min(0),
  high: z.int().min(0),
  medium: z.int().min(0),
  low: z.int().min(0),
  info: z.int().min(0),
});
export type Counts = z.infer<typeof counts>;

/** What one named check said of the judged commit. */
export const checkResult = z.strictObject({
  name: z.string().min(1).max(40),
  verdict: z
    .enum(['passed', 'failed', 'advised', 'unavailable', 'asks', 'skipped'])
    .describe(
      'advised: it found something and decides nothing; unavailable: it could not tell, which is let pass; asks: a person says what follows from that',
    ),
  reason: z.string().max(600),
  counts: counts.nullable().describe('findings by severity; null: it told none'),
  newFindings: z.int().min(0).nullable().describe('how many the base has not; null: not compared'),
  exitCode: z.int().nullable(),
  durationMs: z.int().min(0),
  report: artefact.nullable().describe('as the tool wrote it'),
  findings: artefact.nullable().describe('a JSON list, read by GET /validations/{id}/findings'),
});
export type CheckResult = z.infer<typeof checkResult>;

/** One thing that a tool complains about. */
export const finding = z.strictObject({
  severity: z.enum(severities),
  rule: z.string(),
  message: z.string(),
  path: z.string().nullable().describe('within the repository; null: of no file in it'),
  line: z.int().min(1).nullable(),
  fingerprint: z.string().describe('the same where the same is found again, also lines further down'),
  isNew: z.boolean().nullable().describe('the base has it not; null: not compared'),
});
export type Finding = z.infer<typeof finding>;

/** Of one report. */
export const MOST_FINDINGS = 10_000;
