import type { Configuration } from './schema.ts';

/** What a schema cannot say: names are unique, and what is named exists. One line a fault. */
export function crossCheck(configuration: Configuration): string[] {
  const { repositories, agents, rules } = configuration;
  const providers = Object.keys(configuration.webhooks) as (keyof Configuration['webhooks'])[];
  const agentNames = agents.map((agent) => agent.name);
  return [
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
