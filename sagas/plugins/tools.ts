import type { IncomingHttpHeaders } from 'node:http';
import { readState } from '@workledger/shared/aggregate/read-state.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { taskFold } from '@workledger/shared/contexts/task/task/state.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { LoadedPlugin } from '@workledger/shared/plugins/load.ts';
import type { PluginTools } from '@workledger/shared/plugins/plugin.ts';
import { linkToTask } from '../components/environment.ts';
import { howIsPlugin, howIsSystem, type Seen } from '../components/state.ts';
import { createOutbound, shownState, type OutboundState } from '@workledger/shared/outbound/outbound.ts';

export type PluginWays = {
  tools(signal: AbortSignal): PluginTools;
  /** By target, as health shows it. */
  states(): Readonly<Record<string, OutboundState>>;
};

/** The one way out to each system that a plugin names. */
export function openWays(
  { manifest, parts, entry }: Pick<LoadedPlugin, 'manifest' | 'parts' | 'entry'>,
  configuration: Pick<Configuration, 'outbound' | 'repositories' | 'publicUrl'>,
  log: EventLog,
): PluginWays {
  const ways = new Map(
    Object.entries(parts.targets).map(([name, { base, ...manners }]) => {
      const target = { name: `${manifest.name} ${name}`, base: new URL(base), ...manners };
      return [name, createOutbound(target, configuration.outbound)];
    }),
  );
  return {
    tools: (signal) => ({
      signal,
      task: async (taskId) => {
        const { details, repository, source, status, claim } = await readState(log, taskFold, taskId, 0);
        if (status === 'missing') throw new Error(`there is no task ${taskId}`);
        const link = linkToTask({ configuration }, taskId);
        return { title: details.title, repository, source, status, claimId: claim?.claimId ?? null, link };
      },
      repository: (name) => {
        const known = configuration.repositories.find((one) => one.name === name);
        return known === undefined ? null : { baseBranch: known.baseBranch, named: entry.repositories[name] ?? null };
      },
      send: async (target, asked) => {
        const way = ways.get(target);
        if (way === undefined) throw new Error(`plugin "${manifest.name}" has no target "${target}"`);
        const { status, headers, body } = await way.send({ ...asked, signal });
        return { status, headers: plainHeaders(headers), body };
      },
    }),
    states: () => Object.fromEntries([...ways].map(([name, way]) => [`${manifest.name} ${name}`, way.state()])),
  };
}

const plainHeaders = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value = '']) => [name, [value].flat().join(', ')]));

/** What health shows: the systems that plugins speak to, and parts whose last call failed. Without reasons: anybody may read it. */
export function pluginFacts(
  all: readonly { readonly plugin: LoadedPlugin; readonly ways: PluginWays }[],
): Readonly<Record<string, unknown>> {
  if (all.length === 0) return {};
  const plugins = all.map(({ plugin: { manifest, isolation }, ways }) => {
    const failing = failingParts(isolation);
    const targets = Object.entries(ways.states()).map(([name, state]) => [name, shownState(state)]);
    return [manifest.name, { version: manifest.version, failing, targets: Object.fromEntries(targets) as unknown }];
  });
  return { plugins: Object.fromEntries(plugins) as unknown };
}

/** How plugins, and the systems that they speak to, are. */
export const pluginsSeen = (
  all: readonly { readonly plugin: LoadedPlugin; readonly ways: PluginWays }[],
): readonly Seen[] =>
  all.flatMap(({ plugin: { manifest, isolation }, ways }) => [
    { name: manifest.name, kind: 'plugin' as const, ...howIsPlugin(failingParts(isolation)) },
    ...Object.entries(ways.states()).map(([name, state]) => ({
      ...{ name, kind: 'system' as const },
      ...howIsSystem(null, state),
    })),
  ]);

const failingParts = (isolation: LoadedPlugin['isolation']) =>
  Object.fromEntries(Object.entries(isolation.facts()).map(([part, { state }]) => [part, state]));
