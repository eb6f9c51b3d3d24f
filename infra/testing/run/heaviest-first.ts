import { BaseSequencer, type TestSpecification } from 'vitest/node';

const paths = (names: readonly string[], ending: string): readonly RegExp[] =>
  names.map((name) => new RegExp(`(^|/)${name}${ending}$`));

/** Promises that last longest (a minute and more), wherever they stand. */
const HEAVIEST = paths(
  [
    'while-a-store-is-away',
    'work-comes-and-its-result',
    'no-paid-call',
    'the-relay-loses-nothing',
    'an-accepted-command-survives',
    'a-command-sent-twice',
    'a-timer-never-fires',
    'a-rebuilt-read-model',
    'one-caller-cannot',
    'every-step-of-a-saga',
    'what-systems-agree-on',
  ],
  '[^/]*\\.test\\.ts',
);
/** Of the other tests those that take half a minute and more: none of them begins last. */
const LONG = paths(
  [
    'recipes',
    'distributed/distributed',
    'evolution/openevolve',
    'local/pull-requests',
    'eventstoredb/eventstoredb',
    'intake/odd-bodies',
    'local/start',
    'local/demo',
    'local/moved-base',
    'code/setup',
    'code/own-repository',
    'gitea-plugin',
    'local/replies',
    'local/api-fuzz',
    'local/workflows',
    'local/openevolve',
    'projections/outage',
    'kafka/embedded-kafka',
    'sagas/two-workers',
    'engine/engine',
    'code/publish-merge',
    'kafka/killed-broker',
    'local/demo-killed',
  ],
  '\\.int\\.test\\.ts',
);
/** Of the tests that need no server those that wait for seconds. */
const WAITING = paths(
  [
    'github/pull-requests',
    'github/refusals',
    'linear/tell',
    'check/check-installation',
    'shared/telemetry/output',
    'distributed/run-built',
  ],
  '\\.test\\.ts',
);
export const named: readonly RegExp[] = [...HEAVIEST, ...LONG, ...WAITING];
/** The last promise begins when so much of the integration tests has begun: it does not run alone at the end. */
const BEGUN_BY = 0.9;
const LONG_BEGUN_BY = 0.7;

/**
 * Promises, the heaviest first, spread among integration tests, and unit tests behind them: a promise has many processes that die and
 * start, and several of these at once would be a load that none of them is about. Among equals as Vitest would.
 */
export default class HeaviestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const of = (name: string): TestSpecification[] => sorted.filter(({ project }) => project.name === name);
    const promises = of('integration').filter(isPromise).sort(inOrderOf(HEAVIEST));
    const integration = of('integration').filter((file) => !isPromise(file));
    const mixed = [
      ...spread(promises, BEGUN_BY),
      ...spread(integration.filter(takesLong), LONG_BEGUN_BY),
      ...spread(
        integration.filter((file) => !takesLong(file)),
        1,
      ),
    ].sort((one, other) => one.at - other.at);
    return [...mixed.map(({ file }) => file), ...of('unit').sort(inOrderOf(WAITING))];
  }
}

/** Those that are named, as they are named, and the others behind them. */
function inOrderOf(names: readonly RegExp[]): (one: TestSpecification, other: TestSpecification) => number {
  const place = ({ moduleId }: TestSpecification): number => {
    const found = names.findIndex((path) => path.test(moduleId));
    return found === -1 ? names.length : found;
  };
  return (one, other) => place(one) - place(other);
}

const isPromise = ({ moduleId }: TestSpecification): boolean => moduleId.includes('/infra/guarantees/');

const takesLong = ({ moduleId }: TestSpecification): boolean => LONG.some((path) => path.test(moduleId));

const spread = (files: readonly TestSpecification[], until: number) =>
  files.map((file, index) => ({ file, at: (until * index) / files.length }));
