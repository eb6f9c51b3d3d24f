import { z } from 'zod';
import { addressFaults, type outboundSchema } from './outbound.ts';
import { secretSource } from './secret-source.ts';

const perMillion = z.number().min(0).max(100_000).default(0);

/** A model that Workledger itself asks: any endpoint that answers as OpenAI's `/chat/completions` does. */
export const modelSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits and . _ -')
    .describe('how the rest of the configuration names it'),
  url: z
    .url({ protocol: /^https?$/ })
    .describe('its address up to /chat/completions, such as https://api.openai.com/v1'),
  model: z.string().min(1).max(200).describe('as the endpoint names it'),
  key: secretSource.nullable().default(null).describe('sent as a bearer token; null: none'),
  inputUsd: perMillion.describe('US dollars for a million tokens that it is given'),
  outputUsd: perMillion.describe('US dollars for a million tokens that it answers'),
  timeoutSeconds: z.number().positive().max(3_600).default(180).describe('for one answer'),
  atOnce: z.int().min(1).max(32).default(4).describe('requests at once, of this process'),
  batch: z
    .strictObject({
      most: z.int().min(2).max(20).default(8).describe('requests in one'),
      waitMilliseconds: z.int().min(1).max(60_000).default(1_500).describe('that the first one waits for others'),
    })
    .nullable()
    .default(null)
    .describe(
      'small requests for code of one repository that come at the same time are asked as one; null: each alone',
    ),
});
export type ModelConfiguration = z.infer<typeof modelSchema>;

type Configured = {
  readonly models: readonly ModelConfiguration[];
  readonly outbound: z.infer<typeof outboundSchema>;
  readonly repositories: readonly {
    readonly evolve: { readonly openevolve?: { readonly model: string } | undefined } | null;
  }[];
};

/** What the schema cannot say of it. One line a fault. */
export function modelFaults({ models, outbound, repositories }: Configured): string[] {
  const names = models.map(({ name }) => name);
  return [
    ...models.flatMap(({ name, url }, index) => [
      ...addressFaults(`models[${index}].url`, url, outbound).map((fault) =>
        fault.replace('belongs to token', 'belongs to key'),
      ),
      ...(names.indexOf(name) === index
        ? []
        : [`models[${index}].name: "${name}" → models[${names.indexOf(name)}] has it already; use another`]),
    ]),
    ...repositories.flatMap(({ evolve }, index) => {
      const model = evolve?.openevolve?.model;
      if (model === undefined || names.includes(model)) return [];
      const remedy =
        names.length === 0 ? 'add a model of this name to models' : `use one of models: ${names.join(', ')}`;
      return [`repositories[${index}].evolve.openevolve.model: "${model}" → ${remedy}`];
    }),
  ];
}
