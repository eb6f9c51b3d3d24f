import type { Aggregate } from '@workledger/shared/aggregate/aggregate.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { deliveryCommands } from '@workledger/shared/contexts/sync/delivery/commands.ts';
import {
  type DeliveryEvent,
  type ProviderName,
  taskIdOfIssue,
} from '@workledger/shared/contexts/sync/delivery/events.ts';
import { deliveryFold, type DeliveryState } from '@workledger/shared/contexts/sync/delivery/state.ts';
import type { TaskStatus } from '@workledger/shared/contexts/task/task/state.ts';

export type Outcome = CommandData<'delivery.receive'>['outcome'];

/** An issue, or what a provider has in its place: what a task can be made of. */
export type Issue = {
  /** The same for ever, and no other's within the repository: the task's id is derived from it. */
  readonly id: string;
  /** What reasons call it: `issue #12`. */
  readonly name: string;
  /** What people at the provider call it: `acme/shop#12`. */
  readonly reference: string;
  readonly url: string | null;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly author: string | null;
  readonly isOpen: boolean;
};

/** What a delivery says, whichever provider it came from: something about an issue, or why it is about none. */
export type Signal = {
  /** The provider's own word for what happened. */
  readonly action: string | null;
  /** As the provider names it. */
  readonly repository: string | null;
  /** Who did it: a name that nobody can choose for themselves, since trust goes by it. */
  readonly sender: string | null;
} & (
  | {
      readonly issue: Issue;
      readonly change: { readonly kind: 'labeled'; readonly added: readonly string[] } | { kind: 'closed' | 'other' };
    }
  | { readonly reason: string }
);

export type RoutingRules = {
  readonly repositories: readonly ({
    readonly name: string;
    /** Who may ask for work. */
    readonly trusted: readonly string[];
    readonly capabilities: readonly string[];
    /** What the repository is called at each provider. */
  } & { readonly [Name in ProviderName]?: string | null })[];
  readonly rules: readonly {
    readonly name: string;
    readonly provider: ProviderName;
    /** The label that asks for work. */
    readonly label: string;
    readonly priority: number;
  }[];
};

/** What a delivery leads to. Nobody's words start an agent by themselves: whatever no rule asks for is ignored, with the reason. */
export function routeDelivery(provider: ProviderName, signal: Signal, { repositories, rules }: RoutingRules): Outcome {
  if ('reason' in signal) return ignore(signal.reason);
  const { action, repository, sender, issue, change } = signal;
  const known = repositories.find((candidate) => same(candidate[provider], repository));
  if (known === undefined || repository === null)
    return ignore(`repository ${repository ?? '(none)'} is not registered`);
  const taskId = taskIdOfIssue(provider, repository, issue.id);
  const ownRules = rules.filter((rule) => rule.provider === provider);

  if (change.kind === 'closed') {
    const [rule] = ownRules;
    if (rule === undefined) return ignore(`no rule for ${provider}`);
    return { rule: rule.name, taskId, intent: { kind: 'cancel-task', reason: `${issue.name} was closed` } };
  }
  if (change.kind !== 'labeled') return ignore(`action ${action ?? '(none)'} starts no work`);

  const rule = ownRules.find(({ label }) => change.added.some((added) => same(label, added)));
  if (rule === undefined) return ignore(`no rule for label ${change.added.join(', ') || '(none)'}`);
  if (!issue.isOpen) return ignore(`${issue.name} is not open`);
  if (!known.trusted.some((trusted) => same(trusted, sender)))
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
      source: { kind: provider, reference: issue.reference, url: issue.url },
      requester: issue.author,
    },
  };
}

/** The outcome once it is known how the issue's task stands: what could have no effect is ignored, and the reason says so. */
export function withTaskInView(
  outcome: Outcome,
  status: TaskStatus,
  provider: ProviderName,
  signal: Signal,
  { rules }: RoutingRules,
): Outcome {
  if (!('intent' in outcome) || 'reason' in signal) return outcome;
  const { taskId, intent } = outcome;
  const { name, labels } = signal.issue;
  if (intent.kind === 'cancel-task') {
    // With a label of a rule its task may be on its way: the cancellation then comes after the creation.
    const asksForWork = rules.some((rule) => rule.provider === provider && labels.some((own) => same(rule.label, own)));
    return status === 'missing' && !asksForWork ? ignore(`${name} has no task`) : outcome;
  }
  switch (status) {
    case 'missing':
      return outcome;
    case 'failed':
    case 'cancelled':
      return ignore(`${name} has the ${status} task ${taskId}: start it again by POST /api/v1/tasks/${taskId}/retry`);
    default:
      return ignore(`${name} has the task ${taskId} already; it is ${status}`);
  }
}

const ignore = (reason: string): Outcome => ({ reason });

/** Logins, names of repositories and labels are compared without regard to case, as GitHub does. */
const same = (left: string | null | undefined, right: string | null | undefined): boolean =>
  left !== null && left !== undefined && left.toLowerCase() === right?.toLowerCase();

const MAX_TITLE = 300;
const MAX_DESCRIPTION = 65_536;
const MAX_LABELS = 50;
const MAX_LABEL = 100;
const CUT_NOTE = '\n\n[cut here: the issue is longer]';

/** A task needs a title; an issue may have an empty one. */
const titleOf = ({ title, name }: Issue): string =>
  title.trim() === '' ? `${name.charAt(0).toUpperCase()}${name.slice(1)}` : cut(title, MAX_TITLE);

/** The issue's text as a task may hold it, with a note where it had to be cut. */
const descriptionOf = ({ body }: Issue): string =>
  body.length <= MAX_DESCRIPTION ? body : cut(body, MAX_DESCRIPTION - CUT_NOTE.length) + CUT_NOTE;

const labelsOf = ({ labels }: Issue): string[] =>
  labels.filter((name) => name.length > 0 && name.length <= MAX_LABEL).slice(0, MAX_LABELS);

/** Cuts to so many UTF-16 units, never in the middle of a character. */
const cut = (text: string, length: number): string => text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');

/** One webhook delivery: what came and what became of it, in one append. The first receipt counts; a replay changes nothing. */
export const delivery: Aggregate<DeliveryState, DeliveryEvent, DataOf<typeof deliveryCommands>> = {
  ...deliveryFold,
  decisions: {
    'delivery.receive': ({ received, outcome }, state) =>
      state.received
        ? []
        : [
            { type: 'DeliveryReceived', data: received },
            'rule' in outcome ? { type: 'DeliveryRouted', data: outcome } : { type: 'DeliveryIgnored', data: outcome },
          ],
  },
};
