import { hostOf } from '../config/outbound.ts';
import type { Compensation, Definition, Step } from '../contexts/task/workflow/definition.ts';
import type { Fault } from './misfits.ts';

/** What definitions may name; what is left out has nothing. */
export type Named = {
  readonly repositories: readonly { readonly name: string }[];
  readonly models?: readonly { readonly name: string }[];
  readonly workflows?: { readonly allowHosts: readonly string[] };
  readonly outbound?: { readonly privateHosts: readonly string[] };
};

/** What stands literally in a definition and names what is not configured: no run can have it. */
export const nameFaults = ({ steps }: Definition, named: Named): readonly Fault[] =>
  steps.flatMap((step, index) => [
    ...actionFaults(step, `/steps/${index}`, named),
    ...(step.compensation === undefined ? [] : actionFaults(step.compensation, `/steps/${index}/compensation`, named)),
  ]);

function actionFaults(action: Step | Compensation, at: string, named: Named): readonly Fault[] {
  if (action.kind === 'command') {
    const { repository, subtasks } = action.data ?? {};
    const parts = Array.isArray(subtasks) ? (subtasks as readonly { readonly repository?: unknown }[]) : [];
    return [
      ...repositoryFaults(repository, `${at}/data/repository`, named),
      ...parts.flatMap((part, index) =>
        repositoryFaults(part.repository, `${at}/data/subtasks/${index}/repository`, named),
      ),
    ];
  }
  if (action.kind !== 'call') return [];
  const { component, request } = action;
  if (component === 'http.request') return addressFaults(request['url'], `${at}/request/url`, named);
  if (component === 'model.answer') return modelFaults(request['model'], `${at}/request/model`, named);
  return repositoryFaults(request['repository'], `${at}/request/repository`, named);
}

const isOneOf = (all: readonly { readonly name: string }[] | undefined, name: string): boolean =>
  all?.some((one) => one.name === name) === true;

function repositoryFaults(name: unknown, at: string, { repositories }: Named): readonly Fault[] {
  if (typeof name !== 'string' || isOneOf(repositories, name)) return [];
  return [{ at, reason: `repository "${name}" is not registered: add it to the configuration` }];
}

function modelFaults(name: unknown, at: string, { models }: Named): readonly Fault[] {
  if (typeof name !== 'string' || isOneOf(models, name)) return [];
  return [{ at, reason: `no model "${name}" is configured: see "models"` }];
}

function addressFaults(address: unknown, at: string, { workflows, outbound }: Named): readonly Fault[] {
  if (typeof address !== 'string') return [];
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || url.username !== '' || url.password !== '') return [{ at, reason: 'this is no address' }];
  const host = hostOf(url);
  const names = (hosts: readonly string[] = []): boolean => hosts.some((one) => one.toLowerCase() === host);
  if (!names(workflows?.allowHosts))
    return [{ at, reason: `${host} is none of the hosts that workflows may call ("workflows.allowHosts")` }];
  return url.protocol === 'https:' || names(outbound?.privateHosts)
    ? []
    : [{ at, reason: `use https: http is for hosts in "outbound.privateHosts" of the configuration` }];
}
