import type { Content } from '../contexts/sync/configuration/events.ts';
import { hidden, isSecretName, maskText } from '../telemetry/mask.ts';
import { isObject, partsOf, pointerTo, valuesOf } from './content.ts';
import { effective, type Written } from './effective.ts';
import { limitNames, type ComponentName } from './overlays.ts';

/** A value that is in use, and where it comes from. */
export type ShownValue = {
  readonly path: string;
  readonly value: unknown;
  readonly origin: 'default' | 'file' | 'api' | 'overlay';
  /** That set it; left out: it was not set by the API. */
  readonly revision?: number;
  /** What the file says, where another value is in use. */
  readonly file?: unknown;
};

type Named = Readonly<Record<string, unknown>>;

const LISTS = ['repositories', 'agents', 'rules', 'flags'] as const;

const byName = (list: unknown): Named =>
  Object.fromEntries(
    (Array.isArray(list) ? list : []).filter(isObject).map(({ name, ...fields }) => [String(name), fields]),
  );

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
  const own = (path: string): string | null =>
    component === undefined ? null : `${pointerTo('overlays', component)}${path}`;
  const overlays =
    isObject(written['overlays']) && component !== undefined ? written['overlays'][component] : undefined;
  const ownInFile = valuesOf(
    isObject(overlays) ? { limits: overlays['limits'] as Named, flags: byName(overlays['flags']) } : {},
  );
  return [...used].map(([path, value]) => {
    const [section = '', name = ''] = partsOf(path);
    const overlay = own(section === 'flags' ? pointerTo(section, name) : path);
    const shown = { path, value: harmless(value, path.endsWith('/variables')) };
    const below = inFile.has(path) ? { file: harmless(inFile.get(path), path.endsWith('/variables')) } : {};
    if (overlay !== null && set.has(overlay))
      return { ...shown, origin: 'overlay', ...revisionOf(since, overlay), ...below };
    if (ownInFile.has(path)) return { ...shown, origin: 'overlay', ...below };
    if (set.has(path)) return { ...shown, origin: 'api', ...revisionOf(since, path), ...below };
    return { ...shown, origin: inFile.has(path) ? 'file' : 'default' };
  });
}

const revisionOf = (since: Readonly<Record<string, number>>, path: string): { readonly revision?: number } => {
  const revision = Object.hasOwn(since, path) ? since[path] : undefined;
  return revision === undefined ? {} : { revision };
};
