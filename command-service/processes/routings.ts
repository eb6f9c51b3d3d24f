import { recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { Routed } from '@workledger/shared/contexts/evolution/routing/state.ts';
import { taskTypeOf } from '@workledger/shared/estimates/features.ts';
import type { ModelTry } from '@workledger/shared/read-models/model-records.ts';
import { choose, type Candidate, type Choice, type Tries } from '@workledger/shared/routing/choose.ts';
import { expectedUsd } from '@workledger/shared/routing/price.ts';
import type { RoutingDecisions } from '../domain/routing.ts';
import { checkRepository } from './references.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type Asked = CommandData<'routing.choose'>;

/** Chooses a model by what is known now; the same command answers what was chosen first. @throws CommandRefused */
export async function chooseModel(room: Room, id: string, asked: Asked, context: StepContext): Promise<CommandAnswer> {
  const { routing } = room.aggregates;
  const before = await routing.load(id);
  const known = recall(before.commands, context.commandId, context.commandHash);
  const data =
    known === undefined || before.state.routed === null ? await decide(room, id, asked, context) : before.state.routed;
  const answer = await routing.handle(id, { type: 'routing.choose', data }, context);
  const { routed } = (await routing.load(id)).state;
  return { ...answer, details: routed === null ? {} : detailsOf(routed) };
}

const detailsOf = ({ model, confidence, reason, estimatedCostUsd }: Routed) => ({
  ...{ model, confidence, reason, estimatedCostUsd },
});

async function decide(
  room: Room,
  id: string,
  { inputTokens, outputTokens, ...asked }: Asked,
  { repositories }: StepContext,
): Promise<RoutingDecisions['routing.choose']> {
  checkRepository(room, asked.repository);
  const { models = [] } = room.configuration;
  if (models.length === 0)
    refuse('unknown-reference', 'no model is configured: add it to "models"', { field: 'models' });
  const level = asked.complexity;
  const tries = await room.modelTries(level, repositories ?? null);
  const type = asked.taskType.toLowerCase();
  const candidates = models.map(({ name, ...priced }) => {
    const own = tries.filter(({ model }) => model === name);
    const [same, others] = [own.filter((one) => typeOf(one) === type), own.filter((one) => typeOf(one) !== type)];
    const paid = same.flatMap(({ costUsd }) => (costUsd === null ? [] : [costUsd]));
    const price = { tries: paid.length, totalUsd: paid.reduce((sum, usd) => sum + usd, 0) };
    const priceUsd = expectedUsd(priced, { level, inputTokens, outputTokens }, price);
    return { model: name, priceUsd, same: countOf(same), others: countOf(others) } satisfies Candidate;
  });
  const choice = choose(candidates, { level, preferred: asked.preferredModel, seed: id });
  return { ...asked, ...toldOf(choice) };
}

const toldOf = ({ rated, ...choice }: Choice) => ({ ...choice, candidates: rated.map((one) => ({ ...one })) });

const typeOf = (one: ModelTry): string => (one.taskType ?? taskTypeOf(one)).toLowerCase();

const countOf = (tries: readonly ModelTry[]): Tries => {
  const succeeded = tries.filter((one) => one.succeeded).length;
  return { succeeded, failed: tries.length - succeeded };
};
