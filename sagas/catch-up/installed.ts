import { isDeepStrictEqual } from 'node:util';
import type { Commands } from '@workledger/shared/commands/port.ts';
import { configurationId } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { RequestOf, ResultOf } from '../components/catalogue.ts';
import type { Component } from '../engine/component.ts';
import { isShort, NOTHING, type Look, type Seen } from './look.ts';

export type Installing = {
  readonly installed: Component<RequestOf<'github.installed'>, ResultOf<'github.installed'>>;
  readonly commands: Commands;
  /** In whose name it is taken. */
  readonly actor: string;
};

const MOST_LOOKS = 10;

/** Takes what the app is installed for, as runs of deliveries do: until the same is seen twice. What was told while nobody listened is seen here. */
export async function lookAtInstalled(
  look: Look,
  { installed, commands, actor }: Installing,
): Promise<{ readonly cursor: object; readonly seen: Seen }> {
  let before: ResultOf<'github.installed'> | null = null;
  for (let number = 1; number <= MOST_LOOKS; number++) {
    if (isShort(look)) return { cursor: {}, seen: { ...NOTHING, cut: 'quota' } };
    const seen: ResultOf<'github.installed'> = await installed.perform({}, { key: 'catch-up', signal: look.signal });
    if (before !== null && isDeepStrictEqual(before, seen)) break;
    const target = configurationId(seen.environment);
    const command = { type: 'configuration.take-installed', target, data: seen };
    await commands.send(command, { actor, correlationId: newId(), commandId: newId() });
    before = seen;
  }
  return { cursor: {}, seen: NOTHING };
}
