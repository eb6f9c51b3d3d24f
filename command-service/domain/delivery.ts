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
  /** Of when this state of it is, on the provider's clock: ISO 8601 in UTC; left out where the provider does not say. */
  readonly updatedAt?: string | null;
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
      readonly change:
        | { readonly kind: 'labeled'; readonly added: readonly string[] }
        | { readonly kind: 'unlabeled'; readonly removed: readonly string[] }
        | { readonly kind: 'closed' | 'deleted' | 'transferred' | 'other' };
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

  if (change.kind === 'other') return ignore(`action ${action ?? '(none)'} starts no work`);

  const named = change.kind === 'labeled' ? change.added : change.kind === 'unlabeled' ? change.removed : null;
  const rule = named === null ? ownRules[0] : ownRules.find(({ label }) => named.some((each) => same(label, each)));
  if (rule === undefined)
    return ignore(named === null ? `no rule for ${provider}` : `no rule for label ${named.join(', ') || '(none)'}`);
  if (change.kind === 'labeled' && !issue.isOpen) return ignore(`${issue.name} is not open`);
  // Who may not start work may not end it.
  if (!known.trusted.some((trusted) => same(trusted, sender)))
    return ignore(`the sender is not trusted by repository ${known.name}`);
  if (change.kind !== 'labeled') {
    const what =
      change.kind === 'unlabeled' ? `${issue.name} lost the label ${rule.label}` : `${issue.name} was ${change.kind}`;
    return { rule: rule.name, taskId, intent: { kind: 'cancel-task', reason: what } };
  }

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

/** The outcome once it is known of when the newest state is that led to something: deliveries come in any order. */
export function withAgeInView(outcome: Outcome, signal: Signal, newest: string | null): Outcome {
  const updatedAt = 'reason' in signal ? null : signal.issue.updatedAt;
  if (!('intent' in outcome) || newest === null || typeof updatedAt !== 'string' || updatedAt >= newest) return outcome;
  return ignore(`it tells of ${updatedAt}, and what came before it of ${newest}: the newer state counts`);
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
  const { name } = signal.issue;
  const { change } = signal;
  const labels = change.kind === 'unlabeled' ? [...signal.issue.labels, ...change.removed] : signal.issue.labels;
  if (intent.kind === 'cancel-task') {
    // With a label of a rule its task may be on its way: the cancellation then comes after the creation.
    const asksForWork = rules.some((rule) => rule.provider === provider && labels.some((own) => same(rule.label, own)));
    if (status === 'complete') return ignore(`${name} has the task ${taskId}, which is complete already`);
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
    'delivery.note-body': (data, { first }) => (first === null ? [{ type: 'DeliveryBodyNoted', data }] : []),
    'delivery.note-state': (data, { updatedAt }) =>
      updatedAt !== null && updatedAt >= data.updatedAt ? [] : [{ type: 'IssueStateNoted', data }],
  },
};
