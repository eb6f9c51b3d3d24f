import { z } from 'zod';
import { addressFaults, type outboundSchema } from './outbound.ts';
import { secretSource } from './secret-source.ts';

/** How Workledger speaks to Codegen: a server of its API, with a token of one organization. */
export const codegenSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .default('https://api.codegen.com')
      .describe('of its API, without /v1; its public service ended with 2025, so give that of your own'),
    organization: z.int().positive().describe('its number'),
    token: secretSource.describe('sent as a bearer token'),
    runUsd: z.number().min(0).max(10_000).default(1).describe('US dollars that one run takes: its API tells none'),
    timeoutSeconds: z.number().positive().max(86_400).default(3_600).describe('for one run; then it is stopped'),
  })
  .nullable()
  .default(null);

/** Who may write the code of a task beside the agent that claimed it. */
export const generateSchema = z
  .strictObject({
    models: z
      .array(z.string().min(1))
      .max(5)
      .default([])
      .describe('of models: each may write what is simple by one answer, which is never run before it is judged'),
    codegen: z
      .strictObject({
        repositoryId: z.int().positive().nullable().default(null).describe('as Codegen numbers it; null: not told'),
        model: z.string().min(1).max(200).nullable().default(null).describe('as Codegen names it; null: its usual'),
        agentType: z.enum(['codegen', 'claude_code']).nullable().default(null).describe('null: its usual'),
      })
      .nullable()
      .default(null)
      .describe('null: Codegen is not asked'),
    autogenlib: z
      .strictObject({
        python: z
          .string()
          .regex(/^\//, 'an absolute path')
          .describe(
            'a Python of 3.12 or newer in which autogenlib is installed, such as that of a virtual environment',
          ),
      })
      .nullable()
      .default(null)
      .describe(
        'models write through autogenlib, in the sandbox; null, or where it cannot be used: they are asked without',
      ),
    capabilities: z
      .array(z.string().min(1))
      .default(['code'])
      .describe('what these can do: tasks that demand more are left to the agent'),
  })
  .nullable()
  .default(null);

type Configured = {
  readonly models: readonly { readonly name: string }[];
  readonly codegen: z.infer<typeof codegenSchema>;
  readonly outbound: z.infer<typeof outboundSchema>;
  readonly repositories: readonly { readonly generate: z.infer<typeof generateSchema> }[];
};

/** What the schema cannot say of it. One line a fault. */
export function generationFaults({ models, codegen, outbound, repositories }: Configured): string[] {
  const names = models.map(({ name }) => name);
  return [
    ...(codegen === null ? [] : addressFaults('codegen.url', codegen.url, outbound)),
    ...repositories.flatMap(({ generate }, index) => [
      ...(generate?.models ?? []).flatMap((model, place) =>
        names.includes(model)
          ? []
          : [
              `repositories[${index}].generate.models[${place}]: "${model}" → ${
                names.length === 0 ? 'add a model of this name to models' : `use one of models: ${names.join(', ')}`
              }`,
            ],
      ),
      ...(generate?.codegen != null && codegen === null
        ? [`repositories[${index}].generate.codegen: there is no Codegen → say codegen, or leave it out`]
        : []),
    ]),
  ];
}
