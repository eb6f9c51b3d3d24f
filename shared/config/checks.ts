import { z } from 'zod';
import { severities } from '../contexts/evolution/validation/checks.ts';

/** What a report may be written in. */
export const REPORT_FORMATS = ['sarif', 'junit', 'npm-audit', 'pip-audit', 'semgrep', 'eslint'] as const;

/** The command `test` is a check, too: it needs no entry. */
export const TESTS = 'tests';

const report = z.strictObject({
  format: z.enum(REPORT_FORMATS),
  path: z
    .string()
    .min(1)
    .max(300)
    .regex(/^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\\]+$/, 'a path within the repository, without ".."')
    .nullable()
    .default(null)
    .describe('the file that the command writes, within the repository; null: what it prints'),
});

const policy = z.union([
  z.enum(['required', 'advisory']),
  z.strictObject({
    failAt: z.enum(severities).describe('findings of this severity or above refuse the work'),
    onlyNew: z.boolean().default(false).describe('true: those that the base has too do not count'),
  }),
]);
export type CheckPolicy = z.infer<typeof policy>;

export const checkSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'small letters, digits, ".", "_" and "-"')
    .describe('how events, pull requests and people name it'),
  command: z.array(z.string().min(1)).min(1).describe('executable and arguments; run without a shell'),
  report: report.nullable().default(null).describe('where it tells its findings; null: its exit code says all'),
  policy: policy
    .default('required')
    .describe('required: it must exit 0; advisory: it decides nothing; failAt: its findings decide'),
  onUnavailable: z
    .enum(['fail', 'pass', 'ask'])
    .default('fail')
    .describe('what follows where it cannot tell: no end in time, no report, its registry away; ask: a person says'),
  timeoutSeconds: z
    .number()
    .positive()
    .max(86_400)
    .nullable()
    .default(null)
    .describe('null: as long as any command of the repository'),
  parallel: z
    .boolean()
    .default(true)
    .describe('true: it may run beside others, in a checkout of its own; false: after the tests, in theirs'),
  when: z
    .strictObject({ changed: z.array(z.string().min(1)).min(1).describe('git pathspecs') })
    .nullable()
    .default(null)
    .describe('it runs only where the work changes one of these; null: always'),
});
export type CheckConfiguration = z.infer<typeof checkSchema>;

/** Their verdicts stand in one event, which has its limit. */
const MOST_CHECKS = 20;
export const checksSchema = z
  .array(checkSchema)
  .max(MOST_CHECKS)
  .default([])
  .describe('what is tried beside test: linters, scanners, further tests');

type Configured = { readonly repositories: readonly { readonly checks: readonly CheckConfiguration[] }[] };

/** What the schema cannot say of them. One line a fault. */
export const checkFaults = ({ repositories }: Configured): string[] =>
  repositories.flatMap(({ checks }, index) =>
    checks.flatMap(({ name, policy, report }, at) => {
      const place = `repositories[${index}].checks[${at}]`;
      const first = checks.findIndex((other) => other.name === name);
      return [
        ...(name === TESTS ? [`${place}.name: "${TESTS}" → that is the check of "test"; use another`] : []),
        ...(first === at ? [] : [`${place}.name: "${name}" → checks[${first}] has it already; use another`]),
        ...(typeof policy === 'object' && report === null
          ? [`${place}.report: null → say format and path: "failAt" judges by findings, which only a report tells`]
          : []),
      ];
    }),
  );
