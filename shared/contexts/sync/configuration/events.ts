import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { derivedId } from '../../stream.ts';

const environmentNames = ['development', 'staging', 'production'] as const;
export const environmentName = z.enum(environmentNames);
export type EnvironmentName = z.infer<typeof environmentName>;

/** The stream of an environment's values: one for each, always the same. */
export const configurationId = (environment: EnvironmentName): string => derivedId('configuration', environment);

/** What the API may change. */
export const sections = ['repositories', 'agents', 'rules', 'limits', 'flags', 'overlays'] as const;
export const section = z.enum(sections);
export type Section = z.infer<typeof section>;

/** A repository that GitHub tells that the app is installed for: a fact, which nobody sets. */
export const installedRepository = z.strictObject({
  url: z.string().min(1).max(2_000).describe('where git fetches it from and pushes it to'),
  baseBranch: z.string().min(1).max(300).describe('its default branch'),
});
/** By `owner/name`, as GitHub writes it. */
export type Installed = Readonly<Record<string, z.infer<typeof installedRepository>>>;

/** The sections, and what was seen at GitHub. */
const part = z.enum([...sections, 'installed']);
export type Part = z.infer<typeof part>;

/**
 * What the API has set, by section, then by name (of a limit: its field), and what the app is installed for. Here it is JSON and no more:
 * what a value must be, the configuration's own schema says when it is set and when it is used, so that an old revision stays readable.
 */
export const content = z.partialRecord(part, z.record(z.string(), z.unknown()));
export type Content = Readonly<Partial<Record<Part, Readonly<Record<string, unknown>>>>>;

export const installedOf = ({ installed = {} }: Content): Installed => installed as Installed;

/** One value of the content: set, or (without a value) taken back, so that the file's is valid again. */
export const change = z.strictObject({ path: z.string(), value: z.unknown().optional() });
export type Change = { readonly path: string; readonly value?: unknown };

export const configurationEvents = defineStreamType({
  type: 'configuration',
  context: 'sync',
  events: {
    /** Holds the whole content, so that any revision is read by one event however many came before. */
    ConfigurationRevised: {
      version: 1,
      schema: z.strictObject({
        environment: environmentName,
        changes: z.array(change),
        content,
        reason: z.string(),
        changedBy: z.string(),
        /** The revision whose content this is again, but for what is installed; -1: the file alone. Left out: it is none of before. */
        rolledBackTo: z.int().min(-1).optional(),
      }),
    },
  },
});
export type ConfigurationEvent = EventOf<typeof configurationEvents>;
