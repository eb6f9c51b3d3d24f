import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { documentCommands } from '@workledger/shared/contexts/sync/document/commands.ts';
import type { DocumentEvent, Strategy } from '@workledger/shared/contexts/sync/document/events.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { DocumentDecisions } from '../domain/document.ts';
import { checkRepository } from './references.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type Data = DocumentDecisions;
type Asked = DataOf<typeof documentCommands>;

/** Changes a document, and tells what it came to by it: a repeat is told what the first was. @throws CommandRefused */
async function changeDocument<Type extends keyof Data>(
  room: Room,
  id: string,
  type: Type,
  data: Data[Type],
  context: StepContext,
): Promise<CommandAnswer> {
  const answer = await room.aggregates.document.handle(id, { type, data }, context);
  return { ...answer, details: await toldOf(room, answer, context) };
}

async function createDocument(
  room: Room,
  id: string,
  asked: Asked['document.create'],
  context: StepContext,
): Promise<CommandAnswer> {
  checkRepository(room, asked.repository);
  return changeDocument(room, id, 'document.create', withStrategy(room, asked.repository, asked), context);
}

async function changeRules(
  room: Room,
  id: string,
  asked: Asked['document.change-rules'],
  context: StepContext,
): Promise<CommandAnswer> {
  const { document } = room.aggregates;
  const data = withStrategy(room, (await document.load(id)).state.repository, asked);
  return document.handle(id, { type: 'document.change-rules', data }, context);
}

/** Where none is named it is that of its repository now, and stays so. */
const withStrategy = <Rules extends { readonly strategy?: Strategy | undefined }>(
  { configuration }: Room,
  repository: string | null,
  asked: Rules,
) => ({ ...asked, strategy: asked.strategy ?? configured(configuration, repository) });

const configured = ({ repositories }: Room['configuration'], repository: string | null): Strategy =>
  repositories.find(({ name }) => name === repository)?.documents?.strategy ?? 'manual';

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

type Changed = `document.${'create' | 'propose' | 'resolve' | 'change-rules'}`;
type Processes = {
  readonly [Type in Changed]: (id: string, data: Asked[Type], context: StepContext) => Promise<CommandAnswer>;
};

/** The commands about documents that tell what came of them, or lean on the configuration. */
export const documentProcesses = (room: Room): Processes => ({
  'document.create': (id, data, context) => createDocument(room, id, data, context),
  'document.propose': (id, data, context) => changeDocument(room, id, 'document.propose', data, context),
  'document.resolve': (id, data, context) => changeDocument(room, id, 'document.resolve', data, context),
  'document.change-rules': (id, data, context) => changeRules(room, id, data, context),
});
