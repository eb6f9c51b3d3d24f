import { expect, it } from 'vitest';
import {
  describeVariables,
  readEnvironment,
  busVariables,
  logVariables,
  sagaVariables,
  serverVariables,
} from './service-environment.ts';

const shape = { ...serverVariables(8083), ...logVariables, ...busVariables };
const least = { DATABASE_URL: 'postgres://ada:sesame@localhost:5432/work', KAFKA_BROKERS: 'one:9092,two:9092' };

it('fills in what is left out or empty', () => {
  expect(readEnvironment(shape, { ...least, PORT: '', EVENTSTOREDB_URL: '' })).toEqual({
    HOST: '127.0.0.1',
    PORT: 8083,
    LOG_LEVEL: 'info',
    DATABASE_URL: least.DATABASE_URL,
    DATABASE_TLS: 'required',
    EVENTSTOREDB_URL: undefined,
    KAFKA_BROKERS: ['one:9092', 'two:9092'],
    KAFKA_TOPIC_PREFIX: 'workledger',
  });
});

it('names every variable that is missing, and how to set it', () => {
  expect(() => readEnvironment(shape, {})).toThrow(
    'environment: DATABASE_URL: not set → set it: postgres://user:password@host:port/database\n' +
      'environment: KAFKA_BROKERS: not set → set it: Kafka: host:port, several with commas between',
  );
});

it('says what is wrong with a value, without its password', () => {
  const read = (): unknown =>
    readEnvironment(shape, { ...least, DATABASE_URL: 'mysql://ada:sesame@db/work', PORT: 'x' });
  expect(read).toThrow(/DATABASE_URL: "mysql:\/\/ada:\[hidden\]@db\/work" → postgres:\/\/user/);
  expect(read).toThrow(/PORT: "x" → /);
  expect(read).not.toThrow(/sesame/);
});

it.each(['one', 'one:9092,', 'one:9092 two:9092', 'one:port'])('refuses brokers "%s"', (brokers) => {
  expect(() => readEnvironment(shape, { ...least, KAFKA_BROKERS: brokers })).toThrow('KAFKA_BROKERS');
});

it('takes several addresses of command-service', () => {
  const given = { COMMAND_SERVICE_URL: 'http://a:1,http://b:2', SERVICE_KEY_FILE: 'key' };
  expect(readEnvironment(sagaVariables, given).COMMAND_SERVICE_URL).toEqual(['http://a:1', 'http://b:2']);
});

it('describes every variable in a line with its default', () => {
  const lines = describeVariables(shape).split('\n');
  expect(lines).toHaveLength(Object.keys(shape).length);
  expect(lines[1]).toMatch(/^ {2}PORT +0: any free port \(default: 8083\)$/);
});
