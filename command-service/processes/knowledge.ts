import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { isReadableBy, type KnowledgeState } from '@workledger/shared/contexts/agent/knowledge/state.ts';
import type { KnowledgeDecisions } from '../domain/knowledge.ts';
import { isKnownRepository } from './references.ts';
import type { Room } from './room.ts';
import { unchanged, type StepContext } from './step.ts';

type Changing = Exclude<keyof KnowledgeDecisions, 'knowledge.create'>;

/** Creates an entry. @throws CommandRefused `unknown-repository` where the repository is none of the caller's, or of nobody */
export async function createKnowledge(
  room: Room,
  id: string,
  data: CommandData<'knowledge.create'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { repository } = data;
  const isWithin =
    context.repositories === undefined || (repository !== null && context.repositories.includes(repository));
  if (!isWithin || !isKnownRepository(room, repository))
    refuse('unknown-repository', 'the repository is none of those that the key may use', { repository });
  return room.aggregates.knowledge.handle(id, { type: 'knowledge.create', data }, context);
}

/** Changes an entry for its author, or for an operator who may read it. @throws CommandRefused `not-found`, `forbidden` */
export async function changeKnowledge<Type extends Changing>(
  room: Room,
  id: string,
  command: { readonly type: Type; readonly data: KnowledgeDecisions[Type] },
  context: StepContext,
): Promise<CommandAnswer> {
  const { state } = await room.aggregates.knowledge.load(id);
  const isAuthor = readable(state, context)?.author === context.actor;
  if (!isAuthor && !['operator', 'admin'].includes(context.caller?.role ?? ''))
    refuse('forbidden', 'an entry is changed by its author, or by an operator');
  return room.aggregates.knowledge.handle(id, command, context);
}

/** Relates an entry to another one that whoever asks may read. @throws CommandRefused `unknown-reference` and as `changeKnowledge` */
export async function relateKnowledge(
  room: Room,
  id: string,
  data: CommandData<'knowledge.relate'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { entry } = (await room.aggregates.knowledge.load(data.relatedId)).state;
  readable((await room.aggregates.knowledge.load(id)).state, context);
  if (entry === null || !isReadableBy(entry, readerOf(context)))
    refuse('unknown-reference', `relatedId: there is no entry ${data.relatedId}`, {
      field: 'relatedId',
      relatedId: data.relatedId,
    });
  return changeKnowledge(room, id, { type: 'knowledge.relate', data }, context);
}

/** Counts that an entry was opened or cited. @throws CommandRefused `not-found` */
export async function useKnowledge(
  room: Room,
  id: string,
  { how }: CommandData<'knowledge.use'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const loaded = await room.aggregates.knowledge.load(id);
  readable(loaded.state, context);
  await room.knowledgeUsage.count(id, how, context.commandId);
  return unchanged(id, loaded);
}

const readerOf = ({ actor, caller, repositories }: StepContext) => ({
  actor,
  teams: caller?.teams ?? [],
  repositories: repositories ?? null,
});

/** The entry, as far as it is there for whoever asks. @throws CommandRefused `not-found` */
function readable({ entry }: KnowledgeState, context: StepContext): NonNullable<KnowledgeState['entry']> {
  return entry !== null && isReadableBy(entry, readerOf(context))
    ? entry
    : refuse('not-found', 'there is no such entry');
}
