import { z } from 'zod';

/** The headers that every command takes. */
export const commandHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters')
    .optional()
    .describe('The same request again under the same key takes effect once and answers the same.'),
  'if-match': z
    .string()
    .regex(/^(\*|(W\/)?"\d{1,15}")$/, 'one revision in quotes, such as "3"')
    .optional()
    .describe('The revision (ETag) that the change is meant for; at another one it is refused with 412.'),
});
export type CommandHeaders = z.infer<typeof commandHeaders>;

/** The revision of If-Match; undefined where there is none, or `*`. */
export function expectedRevision(ifMatch: string | undefined): number | undefined {
  const digits = /\d+/.exec(ifMatch ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}
