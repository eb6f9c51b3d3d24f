type Operation = {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
  readonly 'x-roles'?: readonly string[];
};

/** What the checker's configuration needs of an OpenAPI document. */
export type Described = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

export type FuzzChoice = {
  readonly seed: number;
  /** Generated requests an operation. */
  readonly examples: number;
  /** Whether each bound of each schema is tried, too: some thousand requests. */
  readonly bounds?: boolean;
  /** Which operations are asked, by their ids and by their places in the description; default: all. */
  readonly isAsked?: (operationId: string, index: number) => boolean;
};

/** Answers that say that a request was none, or that the server failed: what fits the description meets none of them. */
const NEVER = new Set(['400', '405', '413', '415', '431', '500', '503']);
/** A 503 is an answer to a token that is far away, and to what is not configured; not to a request that only looks odd. */
const EXPECTED_503 = /\b(not-yet-visible|not-configured)\b/;

/**
 * The configuration of schemathesis for an API that tells everything that can come: requests that fit the description are answered
 * 2xx or by a refusal that the route names, others are refused, and no answer is another than those described.
 * @param described the API's OpenAPI document
 * @returns the text of a schemathesis.toml; the keys in it are names of variables
 */
export function fuzzConfiguration(described: Described, { seed, examples, bounds = false }: FuzzChoice): string {
  const operations = Object.values(described.paths).flatMap((methods) => Object.values(methods));
  // One worker: CPython 3.11's parser breaks where two threads are in it (https://github.com/python/cpython/issues/106905).
  return `seed = ${seed}
workers = 1
continue-on-failure = true
request-timeout = 20
warnings = false
# How fast it makes up requests says something of the machine.
suppress-health-check = ["too_slow"]
headers = { Authorization = "Bearer \${WORKLEDGER_ADMIN_KEY}" }

[generation]
max-examples = ${examples}
no-shrink = true
database = "none"

[phases]
examples.enabled = false
coverage.enabled = ${bounds}
stateful.enabled = false

[checks]
enabled = false
status_code_conformance.enabled = true
content_type_conformance.enabled = true
response_schema_conformance.enabled = true
unsupported_method.enabled = true
missing_required_header.enabled = true
missing_required_header.expected-statuses = ["4xx"]
${operations.map(checksOf).join('')}`;
}

/** A description of those operations alone that are to be asked: the checker reads it all for each of them. */
export function onlyAsked(described: Described, { isAsked = () => true }: Pick<FuzzChoice, 'isAsked'>): Described {
  let index = 0;
  const paths = Object.entries(described.paths).map(([path, methods]) => {
    const asked = Object.entries(methods).filter(([, { operationId }]) => isAsked(operationId, index++));
    return [path, Object.fromEntries(asked)] as const;
  });
  return { ...described, paths: Object.fromEntries(paths.filter(([, methods]) => Object.keys(methods).length > 0)) };
}

function checksOf({ operationId, responses, 'x-roles': roles = [] }: Operation): string {
  const unavailable = EXPECTED_503.test(responses['503']?.description ?? '') ? ['503'] : [];
  const isInside = roles.length === 1 && roles[0] === 'service';
  const accepted = [...Object.keys(responses).filter((status) => !NEVER.has(status)), ...unavailable];
  const checks = {
    not_a_server_error: ['2xx', '3xx', '4xx', ...unavailable],
    positive_data_acceptance: accepted,
    negative_data_rejection: ['4xx', ...unavailable],
  };
  const lines = Object.entries(checks).map(
    ([name, statuses]) => `checks.${name} = { enabled = true, expected-statuses = ${JSON.stringify(statuses)} }\n`,
  );
  const headers = isInside ? 'headers = { Authorization = "Bearer ${WORKLEDGER_SERVICE_KEY}" }\n' : '';
  return `\n[[operations]]\ninclude-operation-id = ${JSON.stringify(operationId)}\n${headers}${lines.join('')}`;
}
