// The rules of the house for imports. Each says what is meant in its comment; `npm run check` holds them.

const test = String.raw`\.(test|int\.test)\.ts$|/(contract|testing)\.ts$|(^|/)testing/|^infra/(guarantees|composed|old-data)/`;
/** The one test house: tests of every room may import it, and no product code (`test-code-stays-in-tests`). */
const house = '^infra/testing/';
const adapters = '^shared/(event-log|event-bus|artefacts|commands)/[^/]+/';
const service = (name) => ({
  name: `${name}-imports-no-other-service`,
  comment: 'Services talk through events, commands and read models only; infra composes them.',
  severity: 'error',
  from: { path: `^${name}/` },
  to: { path: `^(command-service|projections|sagas|query-service|infra)/`, pathNot: `^${name}/|${house}` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...['command-service', 'projections', 'sagas', 'query-service'].map(service),
    {
      name: 'shared-imports-no-service',
      comment: 'shared/ is what every service speaks: it knows none of them.',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(command-service|projections|sagas|query-service|infra)/', pathNot: house },
    },
    {
      name: 'domain-is-pure',
      comment:
        'Aggregates are pure functions of events and commands: no I/O, no library (but one that is a pure function, too), no clock.',
      severity: 'error',
      from: { path: '^command-service/domain/', pathNot: test },
      // What a configuration must be is pure, too.
      to: {
        pathNot:
          '^command-service/domain/|^shared/(contexts|events|aggregate|commands)/|^shared/config/(content|effective)\\.ts$|node_modules/node-diff3/',
      },
    },
    {
      name: 'domain-tests-stay-small',
      comment: 'A test of an aggregate needs the aggregate, the test runner, and fast-check at most.',
      severity: 'error',
      from: { path: '^command-service/domain/.*\\.test\\.ts$' },
      to: {
        pathNot:
          '^command-service/domain/|^shared/(contexts|events|aggregate|commands)/|node_modules/(vitest|fast-check)/',
      },
    },
    {
      name: 'a-webhook-provider-is-pure',
      comment: 'It reads what came, in the words of its port. Rules, log and commands are no business of its.',
      severity: 'error',
      from: { path: '^command-service/intake/providers/', pathNot: test },
      to: {
        pathNot:
          '^command-service/intake/(provider\\.ts|providers/)|^command-service/domain/|^shared/(contexts|http)/|node_modules/zod/',
      },
    },
    {
      name: 'contexts-are-the-ground',
      comment: 'The language of the domain: schemas and pure folds that import nothing of the house but themselves.',
      severity: 'error',
      from: { path: '^shared/contexts/', pathNot: test },
      to: { pathNot: '^shared/contexts/|node_modules/(zod|uuid)/' },
    },
    {
      name: 'published-language-is-pure',
      comment: 'Events, commands and row types are data: schemas and pure functions over them.',
      severity: 'error',
      from: { path: '^shared/(events|commands)/', pathNot: `${test}|${adapters}|\\.program\\.ts$` },
      to: {
        pathNot: '^shared/(contexts|events|commands)/|node_modules/(zod|uuid)/|^(node:)?crypto$',
      },
    },
    {
      name: 'consumption-stands-on-the-ports',
      comment: 'The durable consumer knows log and bus by their ports, and no room that consumes.',
      severity: 'error',
      from: { path: '^shared/consumption/', pathNot: test },
      to: {
        path: '^(shared|command-service|projections|sagas|query-service|infra)/',
        pathNot: '^shared/(consumption|contexts|events|event-log|event-bus|resilience|telemetry)/',
      },
    },
    {
      name: 'adapters-by-composition-roots-only',
      comment: 'Code against the port; only a composition root (infra, main.ts) and tests choose the engine.',
      severity: 'error',
      from: {
        path: '^(shared|command-service|projections|sagas|query-service)/',
        pathNot: `${test}|/main\\.ts$|^shared/service/|${adapters}`,
      },
      to: { path: adapters },
    },
    {
      name: 'adapters-know-only-themselves',
      comment: 'An adapter stands on its own: it does not lean on the adapter of another engine.',
      severity: 'error',
      from: { path: '^shared/(event-log|event-bus|artefacts|commands)/([^/]+)/', pathNot: test },
      to: { path: adapters, pathNot: '^shared/$1/$2/' },
    },
    {
      name: 'eventstoredb-client-in-its-adapter-only',
      severity: 'error',
      from: { pathNot: '^shared/event-log/eventstoredb/' },
      to: { path: '@eventstore/db-client' },
    },
    {
      name: 'kafkajs-in-its-adapter-only',
      comment: 'And in the examples, which are programs of other systems, and in what is measured beside our own.',
      severity: 'error',
      from: { pathNot: '^shared/event-bus/kafka/|^infra/(docs/examples|bench)/' },
      to: { path: '(^|/)kafkajs(/|$)' },
    },
    {
      name: 'demo-is-a-guest',
      comment: 'Nothing outside the demo knows the sample project or its agents.',
      severity: 'error',
      from: { pathNot: '^infra/local/(demo|distributed)/|^infra/(guarantees|testing)/' },
      to: { path: '^infra/local/demo/' },
    },
    {
      name: 'test-code-stays-in-tests',
      comment:
        'Contract suites, test helpers and tests are not part of the product; what is measured is no product either.',
      severity: 'error',
      from: { pathNot: `${test}|(^|/)double/|^infra/bench/|^vitest\\.config\\.ts$` },
      to: { path: '\\.test\\.ts$|/(contract|testing)\\.ts$|(^|/)(testing|double)/' },
    },
    {
      name: 'one-way-out',
      comment:
        'What components, and who has texts embedded, ask of other systems goes through shared/outbound/: allowed hosts, limits, breaker, tries. The proxy of the sandbox is for the programs in it.',
      severity: 'error',
      from: { path: '^(sagas/components|shared/embeddings)/', pathNot: `${test}|^sagas/components/sandbox/` },
      to: { path: '^(node:)?(http|https|http2|net|tls|dgram)$|node_modules/(undici|axios|got|node-fetch|ws)/' },
    },
    {
      name: 'no-circular-imports',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable-imports',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-dependencies',
      comment: "Declare it in the workspace's package.json: `npm i -w <workspace> --save-exact <package>`.",
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'product-code-needs-no-development-dependencies',
      severity: 'error',
      from: { path: '^(shared|command-service|projections|sagas|query-service|infra)/', pathNot: test },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(\\.workledger|infra/local/demo/sample/template)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
