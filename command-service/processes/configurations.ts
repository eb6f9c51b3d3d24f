import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { FILE_ALONE } from '@workledger/shared/config/live.ts';
import type { ConfigurationEvent, Content } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type Changing =
  | 'configuration.revise'
  | 'configuration.replace'
  | 'configuration.roll-back'
  | 'configuration.take-installed';

/** Changes what lies over the file; readers of this process go by it before the answer. @throws CommandRefused */
async function changeConfiguration<Type extends Changing>(
  room: Room,
  id: string,
  type: Type,
  data: CommandData<Type>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { configured } = room;
  const asking = { isAdmin: context.caller?.role === 'admin', written: configured?.written ?? {} };
  const old = type === 'configuration.roll-back' ? { content: await contentAt(room, id, data) } : {};
  const command = { type, data: { ...data, ...asking, ...old } };
  const { handle } = room.aggregates.configuration;
  const answer = await handle(id, command as never, context);
  // Who cannot read it yet does so within a second.
  await configured?.refresh().catch(() => undefined);
  return answer;
}

export const configurationProcesses = (room: Room) => {
  const changing =
    <Type extends Changing>(type: Type) =>
    (id: string, data: CommandData<Type>, context: StepContext) =>
      changeConfiguration(room, id, type, data, context);
  return {
    'configuration.revise': changing('configuration.revise'),
    'configuration.replace': changing('configuration.replace'),
    'configuration.roll-back': changing('configuration.roll-back'),
    'configuration.take-installed': changing('configuration.take-installed'),
  };
};

async function contentAt({ log }: Room, id: string, data: unknown): Promise<Content> {
  const { to } = data as CommandData<'configuration.roll-back'>;
  if (to === FILE_ALONE) return {};
  for await (const recorded of log.readStream(streamName('configuration', id), { from: to, limit: 1 }))
    return (upcast(recorded) as ConfigurationEvent).data.content;
  return refuse('unknown-reference', `there is no revision ${to}`, {
    errors: [{ path: 'to', message: 'there is no such revision' }],
  });
}

/** What a claim notes, so that its run goes on with the values that it began with. */
export const atRevision = ({ configured }: Pick<Room, 'configured'>): { readonly configuration?: number } =>
  configured === undefined ? {} : { configuration: configured.revision() };
