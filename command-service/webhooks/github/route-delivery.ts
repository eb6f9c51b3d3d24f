import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { Repository, Rule } from '@workledger/shared/config/schema.ts';
import { taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { descriptionOf, labelsOf, titleOf } from './issue-text.ts';
import type { IssuesPayload } from './payload.ts';

export type Outcome = CommandData<'delivery.receive'>['outcome'];
export type RoutingRules = {
  readonly repositories: readonly Pick<Repository, 'name' | 'github' | 'trusted' | 'capabilities'>[];
  readonly rules: readonly Rule[];
};

/** What an issue delivery leads to. Nobody's words start an agent by themselves: whatever no rule asks for is ignored, with the reason. */
export function routeIssue(delivery: IssuesPayload, { repositories, rules }: RoutingRules): Outcome {
  const { action, issue, repository } = delivery;
  const known = repositories.find((candidate) => same(candidate.github, repository.full_name));
  if (known === undefined) return ignore(`repository ${repository.full_name} is not registered`);
  const taskId = taskIdOfIssue('github', repository.full_name, issue.number);

  if (action === 'closed') {
    const rule = rules.find(({ provider }) => provider === 'github');
    if (rule === undefined) return ignore('no rule for github');
    return { rule: rule.name, taskId, intent: { kind: 'cancel-task', reason: `issue #${issue.number} was closed` } };
  }
  if (action !== 'labeled') return ignore(`action ${action} starts no work`);

  const added = delivery.label?.name;
  const rule = rules.find(({ provider, label }) => provider === 'github' && same(label, added));
  if (rule === undefined) return ignore(`no rule for label ${added ?? '(none)'}`);
  if (issue.state !== 'open') return ignore(`issue #${issue.number} is not open`);
  if (!known.trusted.some((login) => same(login, delivery.sender.login)))
    return ignore(`the sender is not trusted by repository ${known.name}`);

  return {
    rule: rule.name,
    taskId,
    intent: {
      kind: 'create-task',
      title: titleOf(issue),
      description: descriptionOf(issue),
      repository: known.name,
      labels: labelsOf(issue),
      priority: rule.priority,
      capabilities: [...known.capabilities],
      source: { kind: 'github', reference: `${repository.full_name}#${issue.number}`, url: issue.html_url ?? null },
      requester: issue.user?.login ?? null,
    },
  };
}

/** Whether the issue carries a label that asks for work. */
export const hasRuleLabel = ({ issue }: IssuesPayload, { rules }: RoutingRules): boolean =>
  (issue.labels ?? []).some(({ name }) =>
    rules.some(({ provider, label }) => provider === 'github' && same(label, name)),
  );

const ignore = (reason: string): Outcome => ({ reason });

/** GitHub compares logins, repository names and labels without regard to case. */
const same = (left: string | null | undefined, right: string | null | undefined): boolean =>
  left !== null && left !== undefined && left.toLowerCase() === right?.toLowerCase();
