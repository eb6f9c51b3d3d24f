import { z } from 'zod';

/** Where a secret stands; the configuration never holds the secret itself. */
export const secretSource = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type SecretSource = z.infer<typeof secretSource>;
