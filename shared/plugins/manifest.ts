import { z } from 'zod';

/** The version of what plugins and Workledger expect of each other. A manifest names the one that it was written for. */
const PLUGIN_INTERFACE = 1;

export const MANIFEST_FILE = 'workledger-plugin.json';

const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const name = z.string().regex(NAME, 'lower-case letters, digits and -, a letter first');
const names = z.array(name).max(50).default([]);

/** `workledger-plugin.json`: what a plugin is and brings, known before any of its code runs. */
export const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  name,
  version: z.string().regex(/^\d+\.\d+\.\d+(-[\w.-]+)?$/, 'a version such as 1.0.0'),
  interface: z.literal(PLUGIN_INTERFACE, {
    error: ({ input }) =>
      `interface ${String(input)} is not spoken here: use a version of the plugin for interface ${PLUGIN_INTERFACE}`,
  }),
  description: z.string().max(300),
  main: z.string().regex(/^(?!.*\.\.)[\w./-]+\.(js|mjs|ts)$/, 'a module of its own folder, such as plugin.js'),
  provides: z.strictObject({
    providers: z
      .array(z.union([z.enum(['gitea', 'gitlab']), z.string().regex(/^x-[a-z0-9][a-z0-9-]{0,37}$/)]))
      .max(10)
      .default([])
      .describe('senders of webhooks: gitea, gitlab, or a name of its own after x-'),
    components: names,
    handlers: names,
    middleware: names,
  }),
  configuration: z
    .record(z.string(), z.unknown())
    .default({ type: 'object', additionalProperties: false })
    .describe('JSON Schema (2020-12) of its configuration'),
  secrets: names,
});
export type Manifest = z.infer<typeof manifestSchema>;
