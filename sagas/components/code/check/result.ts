import { z } from 'zod';

export const checkResult = z.object({
  /** What was tried: `repository "shop": test`. */
  subject: z.string(),
  ok: z.boolean(),
  /** What was found; when not ok, what to do. One line. */
  detail: z.string(),
});
/** One thing that was tried before work starts. */
export type CheckResult = z.infer<typeof checkResult>;

export const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 500);
