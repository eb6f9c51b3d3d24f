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

type LimitName = (typeof limitNames)[number];
type Read = { readonly limits: readonly LimitName[]; readonly flags: boolean };

/** What each ever asks for: of anything else a value of its own would do nothing. */
const READ: Readonly<Record<ComponentName, Read>> = {
  'command-service': {
    limits: ['leaseSeconds', 'heartbeatSeconds', 'issueOfferSeconds', 'ageingSeconds', 'budgets'],
    flags: true,
  },
  sagas: { limits: ['leaseSeconds', 'heartbeatSeconds', 'drainSeconds'], flags: true },
  'query-service': { limits: ['ageingSeconds', 'budgets'], flags: true },
  projections: { limits: [], flags: false },
  runner: { limits: ['drainSeconds'], flags: true },
};

/** Which of these limits and flags a component never reads, and what to do instead. */
export function unread(
  component: ComponentName,
  own: { readonly limits: readonly string[]; readonly flags: readonly string[] },
): { readonly path: readonly string[]; readonly message: string }[] {
  const { limits, flags } = READ[component];
  const remedy = limits.length === 0 ? 'leave it out' : `use one of: ${limits.join(', ')}`;
  const odd = own.limits.filter((name) => !limits.some((one) => one === name));
  return [
    ...odd.map((name) => ({ path: ['limits', name], message: `${component} does not read it → ${remedy}` })),
    ...(flags ? [] : own.flags).map((name) => ({
      ...{ path: ['flags', name], message: `${component} asks for no flag → leave it out` },
    })),
  ];
}

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
        .describe(`those of ${limitNames.join(', ')} that the component reads, each as it is without an overlay`),
      flags: z.array(flagSchema).default([]),
    }),
  )
  .default({})
  .describe('by component: values that are its own');
