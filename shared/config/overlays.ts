import { z } from 'zod';
import { flagSchema } from './flags.ts';

/** Who reads the configuration with values of its own. */
export const componentNames = ['command-service', 'sagas', 'query-service', 'projections', 'runner'] as const;
export const componentName = z.enum(componentNames);
export type ComponentName = z.infer<typeof componentName>;

/** Fields of the configuration that are changed while it runs, beside what has a name. */
export const limitNames = [
  'leaseSeconds',
  'heartbeatSeconds',
  'issueOfferSeconds',
  'ageingSeconds',
  'drainSeconds',
  'budgets',
] as const;

/**
 * Values of one component, over those of all. Limits and flags only: repositories, agents and rules are one decision for all who
 * read them.
 */
export const overlaysSchema = z
  .partialRecord(
    componentName,
    z.strictObject({
      limits: z
        .partialRecord(z.enum(limitNames), z.unknown())
        .default({})
        .describe(`any of ${limitNames.join(', ')}, each as it is without an overlay`),
      flags: z.array(flagSchema).default([]),
    }),
  )
  .default({})
  .describe('by component: values that are its own');
