import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import {
  administrators,
  changeFaults,
  changesBetween,
  ordered,
  partsOf,
  withChanges,
  type Fault,
} from '@workledger/shared/config/content.ts';
import { contentFaults, type Written } from '@workledger/shared/config/effective.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { configurationCommands } from '@workledger/shared/contexts/sync/configuration/commands.ts';
import {
  configurationId,
  type ConfigurationEvent,
  type Content,
  type EnvironmentName,
  type Installed,
  installedOf,
} from '@workledger/shared/contexts/sync/configuration/events.ts';
import { configurationFold, type ConfigurationState } from '@workledger/shared/contexts/sync/configuration/state.ts';

type Commands = DataOf<typeof configurationCommands>;

/** What whoever asks may, and what the file says below. */
type Asking = { readonly isAdmin: boolean; readonly written: Written };

export type ConfigurationDecisions = {
  'configuration.revise': Commands['configuration.revise'] & Asking;
  'configuration.replace': Commands['configuration.replace'] & Asking;
  'configuration.roll-back': Commands['configuration.roll-back'] & Asking & { readonly content: Content };
  'configuration.take-installed': Commands['configuration.take-installed'] & Asking;
};

/** Bytes of all that the API sets: every revision holds it whole. */
const MOST_BYTES = 100_000;
const MOST_NAMED = 20;

/** What the API sets over the file, for one environment: changed as a whole or not at all. What is installed GitHub alone tells. */
export const configuration: Aggregate<ConfigurationState, ConfigurationEvent, ConfigurationDecisions> = {
  ...configurationFold,
  decisions: {
    'configuration.revise': (data, state, context) => {
      demandNone(changeFaults(data.changes));
      return revise(state, withChanges(state.content, data.changes), data, context);
    },
    'configuration.replace': (data, state, context) =>
      revise(state, withInstalled(data.content, installedOf(state.content)), data, context),
    'configuration.roll-back': ({ to, ...data }, state, context) =>
      revise(state, withInstalled(data.content, installedOf(state.content)), { ...data, rolledBackTo: to }, context),
    'configuration.take-installed': ({ installed, ...data }, state, context) => {
      const reason = whatChanged(installedOf(state.content), installed);
      return revise(state, withInstalled(state.content, installed), { ...data, reason }, context);
    },
  },
};

const withInstalled = (content: Content, installed: Installed): Content => ordered({ ...content, installed });

/** For whoever reads the history. */
function whatChanged(before: Installed, after: Installed): string {
  const changes = changesBetween({ installed: before }, { installed: after });
  const told = (['added', 'changed', 'gone'] as const).flatMap((word) => {
    const named = changes
      .map(({ path, ...change }) => ({ name: partsOf(path)[1] ?? '', isThere: 'value' in change }))
      .filter(({ name, isThere }) => word === (isThere ? (Object.hasOwn(before, name) ? 'changed' : 'added') : 'gone'));
    return named.length === 0 ? [] : [`${listed(named.map(({ name }) => name))} ${word}`];
  });
  return `GitHub tells what the app is installed for: ${told.join('; ')}`;
}

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

type Wish = Asking & {
  readonly environment: EnvironmentName;
  readonly reason: string;
  readonly rolledBackTo?: number;
};

function revise(
  { content: before }: ConfigurationState,
  content: Content,
  { environment, reason, rolledBackTo, isAdmin, written }: Wish,
  { id, actor }: { readonly id: string; readonly actor: string },
): readonly ConfigurationEvent[] {
  if (id !== configurationId(environment)) refuse('invalid-command', `the target is not the stream of ${environment}`);
  const changes = changesBetween(before, content);
  if (changes.length === 0) return [];
  const beyond = isAdmin ? [] : administrators(changes);
  if (beyond.length > 0)
    refuse('forbidden', `only an administrator changes ${beyond.slice(0, MOST_NAMED).join(', ')}`, {
      paths: beyond.slice(0, MOST_NAMED),
    });
  const bytes = Buffer.byteLength(JSON.stringify(content));
  if (bytes > MOST_BYTES) refuse('too-large', `${bytes} bytes are set: at most ${MOST_BYTES}`);
  demandNone(contentFaults(written, content));
  const rolledBack = rolledBackTo === undefined ? {} : { rolledBackTo };
  const data = {
    environment,
    changes,
    content: content as Record<string, Record<string, unknown>>,
    reason,
    changedBy: actor,
    ...rolledBack,
  };
  return [{ type: 'ConfigurationRevised', data }];
}

function demandNone(faults: readonly Fault[]): void {
  const errors = faults.slice(0, MOST_NAMED);
  if (errors.length > 0)
    refuse('out-of-range', errors.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors });
}
