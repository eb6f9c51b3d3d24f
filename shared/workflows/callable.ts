import { z } from 'zod';
import { text } from '../contexts/text.ts';

/** Components that workflows may call: what each takes and answers. What performs them is in `sagas/components/catalogue.ts`. */
export const callable = {
  'http.request': {
    request: z.strictObject({
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
      url: z
        .string()
        .max(2_000)
        .regex(/^https?:\/\/[\x21-\x7e]+$/, 'https:// and what follows, in ASCII')
        .describe('at a host that the configuration allows (`workflows.allowHosts`)'),
      body: z.json().optional(),
      note: text(200).optional(),
    }),
    result: z.strictObject({ status: z.int(), body: z.json() }),
  },
} as const;

export type CallableName = keyof typeof callable;
export const isCallable = (name: string): name is CallableName => Object.hasOwn(callable, name);
