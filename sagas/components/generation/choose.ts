import { z } from 'zod';
import { CODEGEN, chatOfModel } from '@workledger/shared/contexts/evolution/generation/strategies.ts';
import { artefact, cost } from '@workledger/shared/contexts/values.ts';
import { repositoryOf } from '../environment.ts';
import { defineComponent, inRun } from '../run-component.ts';
import { levelOf, strategyFor, type Candidate, type Strategy } from './strategy.ts';

const SECONDS = 60;
const limits = { turns: { atOnce: () => 16 }, seconds: () => SECONDS };

const level = z.enum(['low', 'medium', 'high']);
const ranked = z.object({ name: z.string(), kind: z.enum(['agent', 'codegen', 'chat']), reason: z.string() });

/** Who is asked to write the code of a task, first to last, and why: as it is now; whoever asks keeps it. */
export const choose = defineComponent({
  request: inRun.extend({
    agentId: z.string(),
    /** Whose work on this task was refused. */
    refused: z.array(z.string()),
  }),
  result: z.object({
    ...{ level, because: z.string(), order: z.array(ranked).min(1), left: z.array(ranked) },
    /** All of it for a person. */
    report: artefact,
  }),
  limits,
  perform: async ({ taskId, repository, agentId, refused }, { environment, step }) => {
    const { generate } = repositoryOf(environment, step, repository);
    const {
      title,
      description,
      labels = [],
      capabilities = [],
      complexity = null,
    } = await environment.readTask(taskId);
    const wanted = { title, description, labels, capabilities, complexity, refused };
    const { models, codegen, outcomes } = environment;
    const records = await outcomes?.of(repository, levelOf(wanted).level);
    const candidate = (
      name: string,
      about: Pick<Candidate, 'kind' | 'capabilities'>,
      priceUsd: number | null = null,
    ): Candidate => {
      const { succeeded = 0, failed = 0, averageUsd = null } = records?.get(name) ?? {};
      return { name, ...about, priceUsd: averageUsd ?? priceUsd, record: { succeeded, failed } };
    };
    const can = generate?.capabilities ?? [];
    const { order, ...told } = strategyFor(wanted, [
      candidate(agentId, { kind: 'agent', capabilities: null }),
      ...(generate?.models ?? [])
        .filter((model) => models?.names.includes(model) === true)
        .map((model) => candidate(chatOfModel(model), { kind: 'chat', capabilities: can })),
      ...(generate?.codegen != null && codegen != null
        ? [candidate(CODEGEN, { kind: 'codegen', capabilities: can }, codegen.runUsd)]
        : []),
    ]);
    const text = reportOf({ ...told, order });
    const report = await environment.artefacts.put(Buffer.from(text), 'text/markdown; charset=utf-8');
    return { ...told, order: [...order], left: [...told.left], report };
  },
});

const reportOf = ({ level, because, order, left }: Strategy): string =>
  [
    `Complexity: ${level} (${because})`,
    '',
    ...order.map(({ name, reason }, index) => `${index + 1}. ${name}: ${reason}`),
    ...left.map(({ name, reason }) => `- not ${name}: ${reason}`),
    '',
  ].join('\n');

/** Keeps how the attempts of a run came out in the end. */
export const learn = defineComponent({
  request: inRun.extend({
    level,
    outcomes: z.array(
      z.object({ round: z.int(), attempt: z.int(), strategy: z.string(), succeeded: z.boolean(), costUsd: cost }),
    ),
  }),
  result: z.object({ kept: z.int() }),
  limits,
  perform: async ({ outcomes, ...of }, { environment }) => {
    if (environment.outcomes === undefined) return { kept: 0 };
    await environment.outcomes.keep(of, outcomes);
    return { kept: outcomes.length };
  },
});
