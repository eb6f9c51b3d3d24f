import type { Content } from '../contexts/sync/configuration/events.ts';
import { hidden, isSecretName, maskText } from '../telemetry/mask.ts';
import { isObject, partsOf, pointerTo, valuesOf } from './content.ts';
import { byName, effective, type Written } from './effective.ts';
import { installedNames } from './installed.ts';
import { limitNames, type ComponentName } from './overlays.ts';

/** A value that is in use, and where it comes from. */
export type ShownValue = {
  readonly path: string;
  readonly value: unknown;
  /** `installation`: of a repository that the app is installed for, and nobody has set it otherwise. */
  readonly origin: 'default' | 'file' | 'api' | 'overlay' | 'installation';
  /** That set it; left out: it was not set by the API. */
  readonly revision?: number;
  /** What the file says, where another value is in use. */
  readonly file?: unknown;
  /** What the file says of this component alone, where what the API has set is in use. */
  readonly fileOverlay?: unknown;
  /** What the API has set for all, where what it has set for this component is in use. */
  readonly api?: unknown;
};

type Named = Readonly<Record<string, unknown>>;

const LISTS = ['repositories', 'agents', 'rules', 'flags'] as const;

/** A configuration in the form in which values are set. */
const asContent = (configuration: Named): Content => ({
  ...Object.fromEntries(LISTS.map((name) => [name, byName(configuration[name])])),
  limits: Object.fromEntries(
    limitNames.flatMap((name) => (name in configuration ? [[name, configuration[name]]] : [])),
  ),
});

/** What must not be shown of a value, hidden. */
function harmless(value: unknown, isVariables = false): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map((item) => harmless(item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isVariables && isSecretName(name) ? hidden : harmless(inner, name === 'variables'),
    ]),
  );
}

/**
 * All values that may be set by the API, as they are in use: each with where it comes from.
 * @param since by pointer: the revision that set it @throws ConfigurationError
 */
export function shownValues(
  {
    written,
    content,
    since,
  }: { readonly written: Written; readonly content: Content; readonly since: Readonly<Record<string, number>> },
  component?: ComponentName,
): readonly ShownValue[] {
  const used = valuesOf(asContent(effective(written, content, component)));
  const inFile = valuesOf(asContent(written));
  const set = valuesOf(content);
  const installed = installedNames(written, content);
  const own = (path: string): string | null =>
    component === undefined ? null : `${pointerTo('overlays', component)}${path}`;
  const overlays =
    isObject(written['overlays']) && component !== undefined ? written['overlays'][component] : undefined;
  const ownInFile = valuesOf(
    isObject(overlays) ? { limits: overlays['limits'] as Named, flags: byName(overlays['flags']) } : {},
  );
  return [...used].map(([path, value]) => {
    const [section = '', name = '', field = ''] = partsOf(path);
    const overlay = own(section === 'flags' ? pointerTo(section, name) : path);
    const hide = (one: unknown): unknown => harmless(one, path.endsWith('/variables'));
    const under = (label: string, values: ReadonlyMap<string, unknown>) =>
      values.has(path) ? { [label]: hide(values.get(path)) } : {};
    const shown = { path, value: hide(value), ...under('file', inFile) };
    const flag = overlay === null ? undefined : set.get(overlay);
    const isOwn = overlay !== null && (section === 'flags' ? isObject(flag) && field in flag : set.has(overlay));
    const below = under('fileOverlay', ownInFile);
    if (isOwn) return { ...shown, origin: 'overlay', ...revisionOf(since, overlay), ...below, ...under('api', set) };
    if (set.has(path)) return { ...shown, origin: 'api', ...revisionOf(since, path), ...below };
    if (ownInFile.has(path)) return { ...shown, origin: 'overlay' };
    if (section === 'repositories' && installed.has(name)) return { ...shown, origin: 'installation' };
    return { path, value: shown.value, origin: inFile.has(path) ? 'file' : 'default' };
  });
}

const revisionOf = (since: Readonly<Record<string, number>>, path: string): { readonly revision?: number } => {
  const revision = Object.hasOwn(since, path) ? since[path] : undefined;
  return revision === undefined ? {} : { revision };
};
