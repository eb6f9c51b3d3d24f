import { z } from 'zod';
import { isSecretName, maskText } from '../telemetry/mask.ts';
import { ConfigurationError } from './configuration-error.ts';

export type Variables = Readonly<Record<string, z.ZodType>>;
export type Environment<Shape extends Variables> = z.infer<z.ZodObject<Shape>>;

const PLACE = 'environment';

/**
 * Reads the variables that a service names; an empty one counts as not set.
 * @throws ConfigurationError with one line a variable: what is wrong, how to mend it; passwords are never shown
 */
export function readEnvironment<Shape extends Variables>(
  shape: Shape,
  environment: NodeJS.ProcessEnv = process.env,
): Environment<Shape> {
  const given = Object.fromEntries(
    Object.keys(shape).map((name) => [name, environment[name] === '' ? undefined : environment[name]]),
  );
  const parsed = z.object(shape).safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    const value = given[name];
    const remedy = value === undefined ? `set it: ${shape[name]?.description ?? message}` : message;
    return `${name}: ${value === undefined ? 'not set' : shown(name, value)} → ${remedy}`;
  });
  throw new ConfigurationError(PLACE, [...new Set(faults)]);
}

const shown = (name: string, value: string): string =>
  isSecretName(name) ? 'a text' : JSON.stringify(maskText(value).slice(0, 80));

/** The variables as lines of a help text. */
export function describeVariables(shape: Variables): string {
  const width = Math.max(...Object.keys(shape).map((name) => name.length));
  return Object.entries(shape)
    .map(([name, schema]) => {
      const standard = schema instanceof z.ZodDefault ? ` (default: ${String(schema.def.defaultValue)})` : '';
      return `  ${name.padEnd(width)}  ${schema.description ?? ''}${standard}`;
    })
    .join('\n');
}
