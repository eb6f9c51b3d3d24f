import { z } from 'zod';
import { name } from './intake-schema.ts';
import { secretSource } from './secret-source.ts';

const asked = z.string().min(1).max(200).optional();
const ASKS = ['label', 'assignee', 'mention', 'reaction', 'command', 'message'] as const;

/** As the rules of Workledger's own providers: what asks for work, of what a provider tells. */
const pluginRule = z
  .strictObject({
    name,
    label: asked,
    assignee: asked,
    mention: asked,
    reaction: asked,
    command: asked,
    message: asked,
    priority: z.int().min(1).max(5).default(3),
  })
  .refine(
    (rule) => ASKS.filter((ask) => rule[ask] !== undefined).length === 1,
    `say by one of these how work is asked for: ${ASKS.join(', ')}`,
  );

export const pluginSchema = z.strictObject({
  from: z
    .string()
    .min(1)
    .max(1_000)
    .describe(
      'a folder with workledger-plugin.json (./… or /…), or the name of a package that is installed beside this file',
    ),
  enabled: z.boolean().default(true),
  configuration: z.record(z.string(), z.unknown()).default({}).describe("as the plugin's manifest describes it"),
  secrets: z
    .record(name, z.array(secretSource).min(1).max(2))
    .default({})
    .describe('by the names that its manifest asks for; two while one replaces the other'),
  repositories: z
    .record(name, z.string().min(1).max(300))
    .default({})
    .describe('what its provider calls a repository, by the name that it has here'),
  rules: z.array(pluginRule).default([]).describe('which deliveries of its provider ask for work'),
});
export type PluginConfiguration = z.infer<typeof pluginSchema>;

type Named = { readonly plugins: readonly PluginConfiguration[]; readonly repositories: readonly { name: string }[] };

/** What names something that is not there. */
export const pluginFaults = ({ plugins, repositories }: Named): string[] =>
  plugins.flatMap(({ repositories: named }, index) =>
    Object.keys(named)
      .filter((each) => !repositories.some((repository) => repository.name === each))
      .map(
        (each) => `plugins[${index}].repositories.${each}: no repository has this name → name one of repositories[]`,
      ),
  );
