import type { z } from 'zod';
import { MOST_FINDINGS } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { eslintReport, reportedByEslint } from './eslint.ts';
import { readJunit } from './junit.ts';
import { npmRefusal, npmReport, reportedByNpm } from './npm-audit.ts';
import { pipReport, readPip } from './pip-audit.ts';
import type { Read, ReportFormat } from './report.ts';
import { reportedBySarif, sarifReport } from './sarif.ts';
import { reportedBySemgrep, semgrepReport } from './semgrep.ts';

/** Bytes of one report. */
export const MOST_BYTES = 10_000_000;

/** Reads a report of a tool. It is bounded, and refused in words where it is not what it says it is. */
export function readReport(format: ReportFormat, text: string): Read {
  const read = readFormat(format, text.replace(/^\uFEFF/, ''));
  if ('reported' in read && read.reported.length > MOST_FINDINGS)
    return { problem: `the report has ${read.reported.length} findings: at most ${MOST_FINDINGS} are read` };
  return read;
}

function readFormat(format: ReportFormat, text: string): Read {
  switch (format) {
    case 'junit':
      return readJunit(text);
    case 'sarif':
      return readJson(format, text, sarifReport, (report) => ({ reported: reportedBySarif(report) }));
    case 'eslint':
      return readJson(format, text, eslintReport, (report) => ({ reported: reportedByEslint(report) }));
    case 'semgrep':
      return readJson(format, text, semgrepReport, (report) => ({ reported: reportedBySemgrep(report) }));
    case 'pip-audit':
      return readJson(format, text, pipReport, readPip);
    case 'npm-audit':
      return npmRefusal(text) ?? readJson(format, text, npmReport, (report) => ({ reported: reportedByNpm(report) }));
  }
}

function readJson<Schema extends z.ZodType>(
  format: ReportFormat,
  text: string,
  schema: Schema,
  read: (report: z.infer<Schema>) => Read,
): Read {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: text.trim() === '' ? 'the report is empty' : 'the report is no JSON' };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return read(parsed.data);
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  return { problem: `the report is no ${format}: ${place}${issue?.message ?? ''}`.slice(0, 300) };
}
