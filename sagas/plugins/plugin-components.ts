import { z } from 'zod';
import type { LoadedPlugin } from '@workledger/shared/plugins/load.ts';
import { defineComponent, inRun, type ComponentDefinition } from '../components/run-component.ts';
import type { PluginWays } from './tools.ts';

const AT_ONCE = 4;

/** The components that a plugin brings, as `<plugin>.<name>`: what they throw is theirs, and so is the breaker that it opens. */
export const pluginComponents = (
  { manifest, parts }: Pick<LoadedPlugin, 'manifest' | 'parts'>,
  ways: PluginWays,
): Readonly<Record<string, ComponentDefinition>> =>
  Object.fromEntries(
    Object.entries(parts.components).map(([name, { seconds, atOnce = AT_ONCE, perform }]) => [
      `${manifest.name}.${name}`,
      defineComponent({
        request: z.looseObject(inRun.shape),
        result: z.record(z.string(), z.unknown()),
        limits: { turns: { atOnce: () => atOnce }, seconds: () => seconds },
        perform: (request, { key, signal }) => perform(request, { ...ways.tools(signal), key }),
      }),
    ]),
  );
