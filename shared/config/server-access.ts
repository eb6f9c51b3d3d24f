import { readFileSync } from 'node:fs';
import pg from 'pg';
import { ConfigurationError } from './faults.ts';
import { isLoopback } from './loopback.ts';

const PLACE = 'environment';

type LogAccess = {
  readonly DATABASE_URL?: string;
  readonly DATABASE_PASSWORD_FILE?: string | undefined;
  readonly DATABASE_TLS?: 'required' | 'off';
  readonly EVENTSTOREDB_URL?: string | undefined;
  readonly EVENTSTOREDB_PASSWORD_FILE?: string | undefined;
};

/**
 * Puts passwords that are kept in files into their addresses.
 * @throws ConfigurationError where a file cannot be read, or the way to PostgreSQL on another machine is open to who listens
 */
export function withAccess<Environment extends LogAccess>(environment: Environment): Environment {
  const { DATABASE_URL, DATABASE_PASSWORD_FILE, EVENTSTOREDB_URL, EVENTSTOREDB_PASSWORD_FILE } = environment;
  const database = withPassword('DATABASE', DATABASE_URL, DATABASE_PASSWORD_FILE);
  const eventStoreDb = withPassword('EVENTSTOREDB', EVENTSTOREDB_URL, EVENTSTOREDB_PASSWORD_FILE);
  const fault = database === undefined ? null : databaseFault(database, environment.DATABASE_TLS === 'off');
  if (fault !== null) throw new ConfigurationError(PLACE, [`DATABASE_URL: ${fault}`]);
  return {
    ...environment,
    ...(database !== undefined && { DATABASE_URL: database }),
    ...(eventStoreDb !== undefined && { EVENTSTOREDB_URL: eventStoreDb }),
  };
}

const WITH_USER = /^([a-z0-9+]+:\/\/[^:@/?,\s]+)@/;

function withPassword(server: string, url: string | undefined, file: string | undefined): string | undefined {
  if (url === undefined || file === undefined) return url;
  if (!WITH_USER.test(url))
    throw new ConfigurationError(PLACE, [
      `${server}_PASSWORD_FILE: ${server}_URL has no user, or a password of its own → write it as scheme://user@host`,
    ]);
  const password = encodeURIComponent(readSecretFile(`${server}_PASSWORD_FILE`, file));
  return url.replace(WITH_USER, (_, user: string) => `${user}:${password}@`);
}

/** @throws ConfigurationError where it cannot be read, or is empty */
function readSecretFile(name: string, file: string): string {
  const text = readTextFile(name, file).replace(/\r?\n$/, '');
  if (text === '') throw new ConfigurationError(PLACE, [`${name}: ${file} is empty → write the secret into it`]);
  return text;
}

function readTextFile(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'not readable';
    throw new ConfigurationError(PLACE, [`${name}: ${file}: ${code} → name a file that this user can read`]);
  }
}

/**
 * Asks the driver itself what it would do: parameters of the address and variables such as PGHOST may name another host, and
 * `sslmode` is understood differently from version to version. It never goes on without TLS where it was to use it.
 */
function databaseFault(connectionString: string, mayBeOpen: boolean): string | null {
  let client: { readonly host: string; readonly ssl: unknown };
  try {
    client = new pg.Client({ connectionString });
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    return code === undefined ? 'cannot be read → postgres://user:password@host:port/database' : `${path}: ${code} → name a file that this user can read`; // prettier-ignore
  }
  if (mayBeOpen || isLoopback(client.host) || isVerified(client.ssl)) return null;
  return (
    `${client.host} is another machine, and nothing proves that it is the one that answers → add ` +
    '?sslmode=verify-full&sslrootcert=FILE, or set DATABASE_TLS=off where the network between is your own'
  );
}

function isVerified(ssl: unknown): boolean {
  if (process.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') return false;
  if (typeof ssl !== 'object' || ssl === null) return ssl === true;
  const { rejectUnauthorized, checkServerIdentity } = ssl as Readonly<Record<string, unknown>>;
  return rejectUnauthorized !== false && checkServerIdentity === undefined;
}

export type KafkaAccess = {
  /** null: without TLS. `ca`: PEM; without it, those that Node trusts. */
  readonly tls: { readonly ca?: string } | null;
  readonly sasl: KafkaLogin | null;
};

type KafkaLogin = {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
};

type KafkaVariables = {
  readonly KAFKA_TLS?: 'on' | 'off' | undefined;
  readonly KAFKA_SSL_CA_FILE?: string | undefined;
  readonly KAFKA_SASL_MECHANISM?: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | undefined;
  readonly KAFKA_SASL_USERNAME?: string | undefined;
  readonly KAFKA_SASL_PASSWORD?: string | undefined;
  readonly KAFKA_SASL_PASSWORD_FILE?: string | undefined;
};

/**
 * How Kafka is reached. Who names an authority or logs in uses TLS: a password never goes over an open connection.
 * @throws ConfigurationError where what belongs together is not there together
 */
export function kafkaAccess(environment: KafkaVariables): KafkaAccess {
  const { KAFKA_SSL_CA_FILE: file, KAFKA_TLS } = environment;
  const sasl = kafkaLogin(environment);
  if (KAFKA_TLS === 'off' && (file !== undefined || sasl !== null))
    throw new ConfigurationError(PLACE, [
      'KAFKA_TLS: off, with an authority or a login → leave it out: a login needs TLS',
    ]);
  const isOn = KAFKA_TLS === 'on' || file !== undefined || sasl !== null;
  const ca = file === undefined ? {} : { ca: readTextFile('KAFKA_SSL_CA_FILE', file) };
  return { tls: isOn ? ca : null, sasl };
}

function kafkaLogin(environment: KafkaVariables): KafkaLogin | null {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username } = environment;
  const { KAFKA_SASL_PASSWORD: given, KAFKA_SASL_PASSWORD_FILE: file } = environment;
  if (mechanism === undefined && username === undefined && given === undefined && file === undefined) return null;
  const name = 'KAFKA_SASL_PASSWORD_FILE';
  const password = file === undefined ? given : readSecretFile(name, file);
  if (mechanism === undefined || username === undefined || password === undefined)
    throw new ConfigurationError(PLACE, [
      `KAFKA_SASL_…: not whole → set KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and ${name}`,
    ]);
  return { mechanism: mechanism.toLowerCase() as KafkaLogin['mechanism'], username, password };
}
