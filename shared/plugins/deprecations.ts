import type { Manifest } from './manifest.ts';
import type { PluginParts } from './plugin.ts';

/** Something of the interface that is to go: told for at least one minor version and three months before it does. */
export type Deprecation = {
  /** As a person knows it: `interface 1`, `provides.handlers`. */
  readonly what: string;
  /** @param plugin its parts are left out where none of its code has run */
  isUsed(plugin: { readonly manifest: Manifest; readonly parts?: Required<PluginParts> }): boolean;
  /** The version of Workledger that is without it, and the day before which that is not released, as in `2027-03-01`. */
  readonly goesWith: string;
  readonly notBefore: string;
  /** What to do. */
  readonly instead: string;
};

/** All of them. None is told of today. */
const DEPRECATIONS: readonly Deprecation[] = [];

/** A line for each that a plugin uses. */
export const deprecationsOf = (
  plugin: Parameters<Deprecation['isUsed']>[0],
  deprecations: readonly Deprecation[] = DEPRECATIONS,
): string[] =>
  deprecations
    .filter(({ isUsed }) => isUsed(plugin))
    .map(
      ({ what, goesWith, notBefore, instead }) =>
        `${what} goes with Workledger ${goesWith}, not before ${notBefore} → ${instead}`,
    );
