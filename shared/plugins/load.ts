import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ConfigurationError } from '../config/faults.ts';
import { readSecrets } from '../config/load.ts';
import type { PluginConfiguration } from '../config/plugins.ts';
import type { Configuration } from '../config/schema.ts';
import { oneLine } from '../telemetry/one-line.ts';
import { deprecationsOf, type Deprecation } from './deprecations.ts';
import { createIsolation, type Isolation } from './isolation.ts';
import { MANIFEST_FILE, manifestSchema, type Manifest } from './manifest.ts';
import type { Plugin, PluginContext, PluginParts } from './plugin.ts';

/** A plugin as its manifest tells of it; none of its code has run. */
export type FoundPlugin = {
  readonly manifest: Manifest;
  /** Absolute. */
  readonly folder: string;
  readonly entry: PluginConfiguration;
  /** How faults name it: `plugins[0]`. */
  readonly place: string;
};

export type LoadedPlugin = Omit<FoundPlugin, 'place'> &
  Pick<PluginContext, 'secrets'> & {
    readonly parts: Required<PluginParts>;
    readonly isolation: Isolation;
  };

type Configured = Pick<Configuration, 'plugins'>;

/** Finds the enabled plugins and checks what the configuration says for them. @throws ConfigurationError */
export async function findPlugins({ plugins }: Configured, folder: string): Promise<readonly FoundPlugin[]> {
  const found: FoundPlugin[] = [];
  for (const [index, entry] of plugins.entries()) {
    if (!entry.enabled) continue;
    const place = `plugins[${index}]`;
    const file = manifestOf(entry.from, folder, place);
    const manifest = await readManifest(file, place);
    const faults = [...configurationFaults(manifest, entry), ...secretFaults(manifest, entry)];
    if (found.some((other) => other.manifest.name === manifest.name))
      faults.push(`from: a plugin named "${manifest.name}" is there already → remove one of them`);
    if (faults.length > 0) throw new ConfigurationError(place, faults);
    found.push({ manifest, folder: dirname(file), entry, place });
  }
  return found;
}

/**
 * Finds the plugins and lets their code make what they bring. What they use and is to go is warned of, once each.
 * @throws ConfigurationError
 */
export async function loadPlugins(
  configuration: Configured,
  folder: string,
  logger: PluginContext['logger'],
  deprecations?: readonly Deprecation[],
): Promise<readonly LoadedPlugin[]> {
  const loaded: LoadedPlugin[] = [];
  for (const { place, ...plugin } of await findPlugins(configuration, folder)) {
    const { manifest, entry } = plugin;
    const secrets = Object.fromEntries(
      await Promise.all(
        manifest.secrets.map(async (name) => {
          const sources = entry.secrets[name] ?? [];
          return [name, await readSecrets(sources, `${place}.secrets.${name}`, folder)] as const;
        }),
      ),
    );
    const parts = await makeParts(plugin, { configuration: entry.configuration, secrets, logger }, place);
    for (const deprecated of deprecationsOf({ manifest, parts }, deprecations))
      logger.warn({ plugin: manifest.name, deprecated }, 'a plugin uses what is to go');
    loaded.push({ ...plugin, secrets, parts, isolation: createIsolation(manifest.name, logger) });
  }
  return loaded;
}

/** @throws ConfigurationError where there is no such folder or package */
function manifestOf(from: string, folder: string, place: string): string {
  if (isAbsolute(from) || /^\.\.?(\/|$)/.test(from)) return join(resolve(folder, from), MANIFEST_FILE);
  try {
    return createRequire(join(folder, 'workledger.json')).resolve(`${from}/${MANIFEST_FILE}`);
  } catch {
    throw new ConfigurationError(place, [
      `from: no package "${from}" with ${MANIFEST_FILE} is installed for ${folder} → npm install it there, or name its folder by ./…`,
    ]);
  }
}

async function readManifest(file: string, place: string): Promise<Manifest> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError(place, [`from: ${file}: ${error.code ?? 'not readable'} → name a folder that has it`]);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(file, [`${oneLine(error)} → make it valid JSON`]);
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(
    file,
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(whole file)'}: ${message}`),
  );
}

function configurationFaults(manifest: Manifest, { configuration }: PluginConfiguration): string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true, useDefaults: true, validateFormats: false, logger: false });
  try {
    const validate = ajv.compile(manifest.configuration);
    if (validate(configuration)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `configuration${instancePath.replaceAll('/', '.')}: ${message ?? 'is not as described'}${detailOf(params)}`,
    );
  } catch (error) {
    return [`configuration: the plugin's own schema is none: ${oneLine(error)} → tell who made it`];
  }
}

const detailOf = (params: Readonly<Record<string, unknown>>): string =>
  'additionalProperty' in params ? ` (${String(params['additionalProperty'])})` : '';

const secretFaults = ({ name, secrets }: Manifest, entry: PluginConfiguration): string[] =>
  Object.keys(entry.secrets)
    .filter((each) => !secrets.includes(each))
    .map(
      (each) => `secrets.${each}: plugin "${name}" asks for no such secret → one of: ${secrets.join(', ') || '(none)'}`,
    );

const KINDS = ['providers', 'components', 'handlers', 'middleware'] as const;

async function makeParts(
  { manifest, folder }: Pick<FoundPlugin, 'manifest' | 'folder'>,
  context: PluginContext,
  place: string,
): Promise<Required<PluginParts>> {
  const file = join(folder, manifest.main);
  const made = await (async () => {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: Plugin };
    if (typeof module.default !== 'function') throw new Error('its default export is no function');
    return module.default(context);
  })().catch((error: unknown) => {
    throw new ConfigurationError(place, [
      `${file} cannot be loaded: ${oneLine(error)} → mend it, or set "enabled": false`,
    ]);
  });
  const parts = { providers: {}, targets: {}, components: {}, handlers: {}, middleware: {}, ...made };
  const faults = KINDS.flatMap((kind) => {
    const [told, brought] = [manifest.provides[kind].toSorted(), Object.keys(parts[kind]).toSorted()];
    return told.join() === brought.join()
      ? []
      : [`${file} brings ${kind} ${brought.join(', ') || '(none)'}, its manifest tells ${told.join(', ') || '(none)'}`];
  });
  if (faults.length > 0) throw new ConfigurationError(place, faults);
  return parts;
}

/** A few lines for people. */
export function describePlugin(
  { manifest, folder }: Pick<FoundPlugin, 'manifest' | 'folder'>,
  deprecations?: readonly Deprecation[],
): string[] {
  const { name, version, description, provides, secrets } = manifest;
  const brings = KINDS.filter((kind) => provides[kind].length > 0).map(
    (kind) => `${kind}: ${provides[kind].join(', ')}`,
  );
  return [
    `${name} ${version}  ${description}`,
    `  from     ${folder}`,
    ...brings.map((line) => `  ${line}`),
    ...(secrets.length === 0 ? [] : [`  secrets: ${secrets.join(', ')}`]),
    ...deprecationsOf({ manifest }, deprecations).map((line) => `  deprecated: ${line}`),
  ];
}
