import { z } from 'zod';
import { isSecretName, maskText } from '../telemetry/mask.ts';
import { checkFaults } from './checks.ts';
import { isLoopback } from './loopback.ts';
import { chatFaults } from './chats.ts';
import { generationFaults } from './generation.ts';
import { modelFaults } from './models.ts';
import { outboundFaults } from './outbound.ts';
import { pluginFaults } from './plugins.ts';
import { pullRequestFaults } from './pull-requests.ts';
import { reviewsFaults } from './reviews.ts';
import { configurationSchema, type Configuration } from './schema.ts';

/** The configuration cannot be used. `faults` has one line each: where, what, how to mend. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
  readonly faults: readonly string[];
  constructor(file: string, faults: readonly string[]) {
    super(faults.map((fault) => `${file}: ${fault}`).join('\n'));
    this.faults = faults;
  }
}

const MAX_VALUE = 80;

/** One line a fault, `path: value → remedy`. Values below a secret's name are never shown. */
export const describeFaults = (error: z.ZodError, input: unknown): string[] =>
  error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const known = fieldsAt(configurationSchema, issue.path, input);
      const remedy = known.length === 0 ? 'remove it' : `remove it, or use one of: ${known.join(', ')}`;
      return issue.keys.map((key) => `${pathText([...issue.path, key])}: unknown field → ${remedy}`);
    }
    const value = valueAt(input, issue.path);
    const remedy =
      issue.code === 'invalid_union' && issue.errors.length > 0 ? unionRemedy(issue) : lowerFirst(issue.message);
    return [`${pathText(issue.path)}: ${valueText(issue.path, value)} → ${remedy}`];
  });

const SECRET_SOURCES = new Set(['secrets', 'token', 'key']);

const unionRemedy = (issue: z.core.$ZodIssueInvalidUnion): string => {
  const wanted = issue.errors.map((branch) =>
    branch.map((fault) => `${fault.path.join('.')} ${fault.message}`.trim()).join(', '),
  );
  return issue.path.some((part) => typeof part === 'string' && SECRET_SOURCES.has(part))
    ? 'use {"env": "NAME"} or {"file": "path"}; a secret itself never stands here'
    : `one of these must be mended: ${wanted.join('; or ')}`;
};

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}${text === '' ? '' : '.'}${String(part)}`),
    '',
  ) || '(whole file)';

function valueText(path: readonly PropertyKey[], value: unknown): string {
  if (value === undefined) return 'missing';
  if (path.some((part) => typeof part === 'string' && isSecretName(part))) return `a ${typeof value}`;
  const text = maskText(JSON.stringify(value));
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** The field names that a schema knows at a path; empty where there is no object of fixed fields. */
function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[], input: unknown): string[] {
  let current = unwrap(schema);
  for (const [depth, part] of path.entries()) {
    if (current instanceof z.ZodObject) current = unwrap(current.shape[String(part)]);
    else if (current instanceof z.ZodArray) current = unwrap(current.element);
    else return [];
    if (current instanceof z.ZodDiscriminatedUnion)
      current = optionOf(current, valueAt(input, path.slice(0, depth + 1)));
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

/** Of a union, the part whose kind the value has. */
const optionOf = (union: z.ZodDiscriminatedUnion, value: unknown): unknown => {
  const { discriminator } = union.def;
  const kind = valueAt(value, [discriminator]);
  return union.options.find(
    (option) => option instanceof z.ZodObject && z.safeParse(option.shape[discriminator], kind).success,
  );
};

function unwrap(schema: unknown): unknown {
  let current = schema;
  while (
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault ||
    current instanceof z.ZodNullable ||
    current instanceof z.ZodOptional ||
    current instanceof z.ZodPipe
  )
    current = current instanceof z.ZodPipe ? current.in : current.unwrap();
  return current;
}

/** Keys and work would go over the network as everybody reads them. */
export const openHost = ({ host, tls, insecureHttp }: Pick<Configuration, 'host' | 'tls' | 'insecureHttp'>): string[] =>
  isLoopback(host) || tls !== null || insecureHttp
    ? []
    : [
        `host: "${host}" is open to other machines, without TLS → set tls, or "insecureHttp": true where the way here is closed otherwise`,
      ];

const openEmbeddings = ({ embeddings }: Pick<Configuration, 'embeddings'>): string[] => {
  if (embeddings === null || embeddings.insecureHttp) return [];
  const { protocol, hostname } = new URL(embeddings.url);
  return protocol === 'https:' || isLoopback(hostname)
    ? []
    : [
        `embeddings.url: "${embeddings.url}" sends texts to another machine without TLS → use https, or "insecureHttp": true where the way there is closed`,
      ];
};

/** What is wrong with what the app is installed for: `each` is judged as one more repository would be. */
function installedFaults(configuration: Configuration): string[] {
  const { installed, github, repositories } = configuration;
  if (installed === null) return [];
  const place = `repositories[${repositories.length}]`;
  const own = { name: '*', github: '*/*', url: 'https://github.com', baseBranch: 'main' };
  const one = { ...installed.each, ...own, linear: null, slack: null, webhook: null };
  const faults = crossCheck({ ...configuration, installed: null, repositories: [...repositories, one] });
  return [
    ...(github === null || github.app === null
      ? ['github.app: null → give one: "installed" takes what an app is installed for']
      : []),
    ...faults.filter((fault) => fault.includes(place)).map((fault) => fault.replaceAll(place, 'installed.each')),
  ];
}

/** What a schema cannot say: names are unique, and what is named exists. One line a fault. */
export function crossCheck(configuration: Configuration): string[] {
  const { repositories, agents, rules } = configuration;
  const providers = Object.keys(configuration.webhooks) as (keyof Configuration['webhooks'])[];
  const agentNames = agents.map((agent) => agent.name);
  return [
    ...installedFaults(configuration),
    ...openHost(configuration),
    ...openEmbeddings(configuration),
    ...outboundFaults(configuration),
    ...pullRequestFaults(configuration),
    ...reviewsFaults(configuration),
    ...pluginFaults(configuration),
    ...chatFaults(configuration),
    ...checkFaults(configuration),
    ...modelFaults(configuration),
    ...generationFaults(configuration),
    ...repeated(
      'repositories',
      'name',
      repositories.map((repository) => repository.name),
    ),
    ...providers.flatMap((provider) =>
      repeated(
        'repositories',
        provider,
        repositories.map((repository) => repository[provider]?.toLowerCase() ?? null),
      ),
    ),
    ...repeated('agents', 'name', agentNames),
    ...repeated(
      'rules',
      'name',
      rules.map((rule) => rule.name),
    ),
    ...repositories.flatMap((repository, index) =>
      repository.agent === null || agentNames.includes(repository.agent)
        ? []
        : [`repositories[${index}].agent: "${repository.agent}" → ${nameOneOf(agentNames)}`],
    ),
    ...repositories.flatMap((repository, index) =>
      repository.webhook !== null && repository[repository.webhook.provider] === null
        ? [
            `repositories[${index}].webhook: secrets of nobody's deliveries → say ${repository.webhook.provider}, or leave it out`,
          ]
        : [],
    ),
    ...repositories.flatMap((repository, index) =>
      repository.evolve !== null && repository.evaluate === null
        ? [
            `repositories[${index}].evaluate: null → give the command that prints the metric "${repository.evolve.metric}", or leave out evolve`,
          ]
        : [],
    ),
  ];
}

const nameOneOf = (names: readonly string[]): string =>
  names.length === 0 ? 'add an agent of this name to agents, or use null' : `use one of agents: ${names.join(', ')}`;

const repeated = (list: string, field: string, values: readonly (string | null)[]): string[] =>
  values.flatMap((value, index) => {
    const first = values.indexOf(value);
    if (value === null || first === index) return [];
    return [`${list}[${index}].${field}: "${value}" → ${list}[${first}] has it already; use another`];
  });
