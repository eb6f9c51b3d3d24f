import { z } from 'zod';
import type { Reported } from './report.ts';

/** Source: https://eslint.org/docs/latest/use/formatters/#json */
export const eslintReport = z.array(
  z.object({
    filePath: z.string(),
    messages: z.array(
      z.object({
        ruleId: z.string().nullable(),
        severity: z.union([z.literal(0), z.literal(1), z.literal(2)]),
        message: z.string(),
        line: z.int().optional(),
      }),
    ),
  }),
);

export const reportedByEslint = (files: z.infer<typeof eslintReport>): Reported[] =>
  files.flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId, severity, message, line }) => ({
      severity: severity === 2 ? ('high' as const) : severity === 1 ? ('medium' as const) : ('info' as const),
      // What cannot be parsed breaks no rule.
      rule: ruleId ?? 'eslint',
      message,
      path: filePath,
      line: line ?? null,
    })),
  );
