import { z } from 'zod';
import { isSecretName, maskText } from '../telemetry/mask.ts';
import { isNetwork } from '../security/peer.ts';
import { ConfigurationError } from './faults.ts';
import { withAccess } from './server-access.ts';

/** A variable that may be left out; an empty one counts as left out. */
const optional = <Inner extends z.ZodType>(inner: Inner) => inner.optional();

const port = z.coerce.number().int().min(0).max(65_535);
const file = z.string().min(1);

const postgresUrl = z
  .url({ protocol: /^postgres(ql)?$/, message: 'postgres://user:password@host:port/database' })
  .describe('postgres://user:password@host:port/database');

const brokers = z
  .string()
  .regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/, 'host:port, several with commas between')
  .transform((text) => text.split(','))
  .describe('Kafka: host:port, several with commas between');

const httpUrls = z
  .string()
  .regex(/^https?:\/\/[^\s,]+(,https?:\/\/[^\s,]+)*$/, 'http://host:port, several with commas between')
  .transform((text) => text.split(','));

/** Where a service listens and what it logs. @param standard the service's own port */
export const serverVariables = (standard: number) => ({
  HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  PORT: port.default(standard).describe('0: any free port'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('JSON lines on stdout'),
});

/** PostgreSQL, and the event log, which is in it unless EVENTSTOREDB_URL is set. */
export const logVariables = {
  DATABASE_URL: postgresUrl,
  DATABASE_PASSWORD_FILE: optional(file).describe('file with the password of the user in DATABASE_URL'),
  DATABASE_TLS: z
    .enum(['required', 'off'])
    .default('required')
    .describe('off: PostgreSQL may be on another machine without ?sslmode=verify-full'),
  EVENTSTOREDB_URL: optional(z.string().regex(/^esdb(\+discover)?:\/\/\S+$/, 'esdb://host:2113?tls=false')).describe(
    'esdb://user:password@host:port?tlsCAFile=…; without it the event log is kept in PostgreSQL',
  ),
  EVENTSTOREDB_PASSWORD_FILE: optional(file).describe('file with the password of the user in EVENTSTOREDB_URL'),
};

export const busVariables = {
  KAFKA_BROKERS: brokers,
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'letters, digits and . _ -')
    .default('workledger')
    .describe('topics are <prefix>.task, .evolution, .agent, .sync, .saga'),
  KAFKA_REPLICATION_FACTOR: optional(z.coerce.number().int().min(1).max(32)).describe(
    'replicas of topics that are made; default: one a broker that is there then, at most 3. Set it to 3 for a cluster of 3 or more',
  ),
  KAFKA_TLS: optional(z.enum(['on', 'off'])).describe('default: on where there is an authority or a login'),
  KAFKA_SSL_CA_FILE: optional(file).describe("PEM of the authority of the brokers' certificates; default: Node's"),
  KAFKA_SASL_MECHANISM: optional(z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])).describe('needs TLS'),
  KAFKA_SASL_USERNAME: optional(z.string().min(1)),
  KAFKA_SASL_PASSWORD: optional(z.string().min(1)).describe('or a file'),
  KAFKA_SASL_PASSWORD_FILE: optional(file).describe('file with the password'),
};

export const configurationVariables = {
  WORKLEDGER_CONFIG: optional(file).describe('the configuration file; default: workledger.json where there is one'),
};

/** Of who has agents at work. */
export const drainVariables = {
  DRAIN_SECONDS: optional(z.coerce.number().min(0).max(86_400)).describe(
    "at SIGTERM agents at work may finish within this time; default: the configuration's drainSeconds",
  ),
};

/** Of who takes API keys: how they are checked, and who stands before. */
export const callerVariables = {
  KEY_MAC_FILE: file.describe(
    'file with one MAC key, or two while it is changed: the first signs API keys, both are accepted',
  ),
  TRUSTED_PROXIES: optional(
    z
      .string()
      .transform((text) => text.split(','))
      .refine((networks) => networks.every(isNetwork), 'addresses or address/bits, commas between'),
  ).describe('addresses or networks of gateways whose X-Forwarded-For is believed, commas between'),
};

/** Of query-service: where commands go that come over a WebSocket. */
export const liveVariables = {
  COMMAND_SERVICE_URL: optional(httpUrls).describe(
    'http://host:port, several with commas between; without it a WebSocket takes no commands',
  ),
};

/** Of command-service: the keys that it makes known to the log at its start. */
export const keyFileVariables = {
  ADMIN_KEY_FILE: optional(file).describe("file with the first administrator's key"),
  SERVICE_KEY_FILE: optional(file).describe('file with the key that sagas send commands with'),
  SAGAS_URL: optional(httpUrls).describe(
    'with SERVICE_KEY_FILE: sagas, http://host:port, several with commas between; they are asked whether a submitted commit is in the origin',
  ),
};

/** Of sagas: how they send commands, and where they work. */
export const sagaVariables = {
  COMMAND_SERVICE_URL: httpUrls.describe('http://host:port, several with commas between'),
  SERVICE_KEY_FILE: file.describe('file with the key of role service'),
  DATA_FOLDER: file.default('.workledger').describe("this worker's own: mirrors, worktrees"),
  RUNNER_URL: optional(httpUrls).describe(
    'runners: http://host:port, several with commas between; without it agents, git and tests run in this process',
  ),
  RUNNER_KEY_FILE: optional(file).describe('with RUNNER_URL: file with the secret that runners share with sagas'),
};

/** Of a runner: what it knows beside the configuration and the agents' own variables. */
export const runnerVariables = {
  RUNNER_KEY_FILE: file.describe('file with the secret that it shares with sagas: 64 hexadecimal digits'),
  DATA_FOLDER: file.default('.workledger').describe("this runner's own: mirrors, worktrees"),
};

type Variables = Readonly<Record<string, z.ZodType>>;
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
  if (parsed.success) return withAccess(parsed.data);
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
