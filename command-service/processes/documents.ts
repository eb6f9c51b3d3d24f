import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { documentCommands } from '@workledger/shared/contexts/sync/document/commands.ts';
import type { DocumentEvent } from '@workledger/shared/contexts/sync/document/events.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { checkRepository } from './references.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type Data = DataOf<typeof documentCommands>;

/** Changes a document, and tells what it came to by it: a repeat is told what the first was. @throws CommandRefused */
async function changeDocument<Type extends keyof Data>(
  room: Room,
  id: string,
  type: Type,
  data: Data[Type],
  context: StepContext,
): Promise<CommandAnswer> {
  if (type === 'document.create') checkRepository(room, (data as Data['document.create']).repository);
  const answer = await room.aggregates.document.handle(id, { type, data }, context);
  return { ...answer, details: await toldOf(room, answer, context) };
}

/** What is written of a command is read where it was written; before it may stand nothing but its own. */
async function toldOf(
  { log }: Room,
  { stream, revision }: CommandAnswer,
  { commandId }: StepContext,
): Promise<CommandAnswer['details']> {
  if (revision < 0) return {};
  const latest: (RecordedEvent & DocumentEvent)[] = [];
  for await (const event of log.readStream(stream, { from: revision, direction: 'backward', limit: 2 }))
    latest.push(upcast(event) as RecordedEvent & DocumentEvent);
  const own = latest.findLast((event) => event.metadata.commandId === commandId);
  const digest = latest[0]?.data.digest;
  if (own === undefined) return { version: revision, digest, outcome: 'unchanged', patch: [], conflicts: [] };
  const told = { version: own.revision, digest };
  if (own.type === 'DocumentProposalSettled') {
    const { outcome, patch, conflicts } = own.data;
    return { ...told, outcome, patch, conflicts };
  }
  return own.type === 'DocumentConflictResolved' ? { ...told, patch: own.data.patch } : told;
}

type Changed = `document.${'create' | 'propose' | 'resolve'}`;
type Processes = {
  readonly [Type in Changed]: (id: string, data: Data[Type], context: StepContext) => Promise<CommandAnswer>;
};

/** The commands about documents that tell what came of them. */
export const documentProcesses = (room: Room): Processes => ({
  'document.create': (id, data, context) => changeDocument(room, id, 'document.create', data, context),
  'document.propose': (id, data, context) => changeDocument(room, id, 'document.propose', data, context),
  'document.resolve': (id, data, context) => changeDocument(room, id, 'document.resolve', data, context),
});
