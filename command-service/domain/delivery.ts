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
import { isTrusted, same } from '@workledger/shared/contexts/sync/delivery/trusted.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { UUID_PATTERN } from '@workledger/shared/contexts/text.ts';
import type { TaskStatus } from '@workledger/shared/contexts/task/task/state.ts';
import { reviewOf } from './review-request.ts';
import {
  type Answer,
  type Ask,
  asksOf,
  holds,
  type Issue,
  meets,
  type RoutingRules,
  type Rule,
  type Signal,
} from './signal.ts';

export type Outcome = CommandData<'delivery.receive'>['outcome'];

/**
 * What a delivery leads to. Nobody's words start an agent by themselves: whatever no rule asks for is ignored, with the reason.
 * @param askedBy the rules that asked for work on the issue; they decide where the provider does not tell what was taken back
 */
export function routeDelivery(
  provider: ProviderName,
  signal: Signal,
  { repositories, rules, installed = null }: RoutingRules,
  askedBy: readonly string[] = [],
): Outcome {
  if ('reason' in signal && signal.installation === true && installed !== null)
    return {
      ...ignore('it starts no work: the repositories that the app is installed for are looked at'),
      installation: true,
    };
  if ('reason' in signal && signal.answer === undefined) return ignore(signal.reason);
  const { action, repository, sender } = signal;
  const known = repositories.find((candidate) => same(candidate[provider], repository));
  if (known === undefined || repository === null)
    return ignore(`repository ${repository ?? '(none)'} is not registered`);
  if (signal.answer !== undefined) return answered(provider, signal, signal.answer, known);
  if ('reason' in signal) return ignore(signal.reason);
  if ('pull' in signal) return noticed(signal.pull);
  if ('review' in signal) return reviewOf(signal.review, sender, known);
  const { issue, change } = signal;
  const taskId = taskIdOfIssue(provider, repository, issue.id);
  const ownRules = rules.filter((rule) => rule.provider === provider && isWithin(repository, rule.team));

  if (change.kind === 'other') return ignore(`action ${action ?? '(none)'} starts no work`);

  const { asked, takenBack } = asksOf(signal);
  const isEnd = change.kind === 'closed' || change.kind === 'deleted' || change.kind === 'transferred';
  const asking = ownRules.find((rule) => asked.some((ask) => meets(rule, ask)));
  const ending = isEnd
    ? ownRules[0]
    : ownRules.find((rule) => takenBack.some((ask) => isLost(rule, ask, issue, askedBy)));
  const rule = asking ?? ending;
  if (rule === undefined)
    return ignore(
      isEnd ? `no rule for ${provider}` : `no rule for ${describeAsks(change.kind, [...asked, ...takenBack])}`,
    );
  if (asking !== undefined && !issue.isOpen) return ignore(`${issue.name} is not open`);
  // Who may not start work may not end it.
  if (!isTrustedBy(provider, known, [sender, ...(signal.senderNames ?? [])]))
    return ignore(`the sender is not trusted by repository ${known.name}`);
  if (asking === undefined) {
    const what = isEnd ? `was ${change.kind}` : `lost the ${describeRule(rule)}`;
    return { rule: rule.name, taskId, intent: { kind: 'cancel-task', reason: `${issue.name} ${what}` } };
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

/** Every rule that a change asks by: any of them may be taken back. */
export function rulesThatAsk(provider: ProviderName, signal: Signal, { rules }: RoutingRules): readonly string[] {
  const { repository } = signal;
  if (!('issue' in signal) || repository === null) return [];
  const { asked } = asksOf(signal);
  return rules
    .filter((rule) => rule.provider === provider && isWithin(repository, rule.team))
    .filter((rule) => asked.some((ask) => meets(rule, ask)))
    .map(({ name }) => name);
}

const isWithin = (repository: string, place: string | undefined): boolean =>
  place === undefined || same(place, repository) || same(place, repository.split('/')[0]);

/** Whether this takes back what the rule asks for; where it is not told what was lost, of the rules that asked what the issue has no more. */
const isLost = (rule: Rule, ask: Ask, issue: Issue, askedBy: readonly string[]): boolean =>
  ask.what === null
    ? askedBy.includes(rule.name) && rule[ask.by] !== undefined && !holds(rule, issue)
    : meets(rule, ask);

/** What people wrote, and whom they named, is nobody else's to read: a reason names labels, emoji and commands alone. */
function describeAsks(kind: string, asks: readonly Ask[]): string {
  if (kind === 'labeled' || kind === 'unlabeled') return `label ${asks.map(({ what }) => what).join(', ') || '(none)'}`;
  const told = asks.map(({ by, what }) =>
    what !== null && (by === 'label' || by === 'reaction' || by === 'command') ? `${by} ${what}` : `this ${by}`,
  );
  return [...new Set(told)].join(', ') || 'what changed';
}

const describeRule = (rule: Rule): string => {
  if (rule.label !== undefined) return `label ${String(rule.label)}`;
  return rule.reaction === undefined ? 'assignee of a rule' : `reaction ${String(rule.reaction)}`;
};

type Known = RoutingRules['repositories'][number];

/** Who is not trusted is told so, where they spoke: that is no secret. */
function answered(
  provider: ProviderName,
  { repository, sender, senderNames = [] }: Signal,
  { taskId, questionId, issue, ...said }: Answer,
  known: Known,
): Outcome {
  const by = senderNames[0] ?? sender;
  if (by === null) return ignore('it does not say who answers');
  return {
    ...said,
    ...{ taskId: taskId ?? taskIdOfIssue(provider, repository ?? '', issue ?? ''), questionId, repository: known.name },
    ...{ by: `${provider}:${by}`, isTrusted: isTrustedBy(provider, known, [sender, ...senderNames]) },
  };
}

const isTrustedBy = (provider: ProviderName, { trusted }: Known, names: readonly (string | null)[]): boolean =>
  names.some((name) => isTrusted(provider, trusted, name));

const OUR_BRANCH = new RegExp(`^workledger/(${UUID_PATTERN})$`);

/** Whoever did it: it has its run look, no more. */
function noticed({ number, branch }: { readonly number: number; readonly branch: string }): Outcome {
  const taskId = OUR_BRANCH.exec(branch)?.[1];
  if (taskId === undefined) return ignore(`pull request #${number} is of no task`);
  return { taskId, pullRequest: number };
}

/**
 * The outcome once it is known of when the newest state is that led to something: deliveries come in any order.
 * @param isFound it is not the provider's own: of the same moment it tells the same once more
 */
export function withAgeInView(outcome: Outcome, signal: Signal, newest: string | null, isFound = false): Outcome {
  const updatedAt = 'issue' in signal ? signal.issue.updatedAt : null;
  if (!('intent' in outcome) || newest === null || typeof updatedAt !== 'string') return outcome;
  if (isFound && updatedAt === newest) return ignore(`what came before it tells of ${newest}, too`);
  if (updatedAt >= newest) return outcome;
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
  if ('pullRequest' in outcome && 'taskId' in outcome)
    return status === 'validation' ? outcome : ignore(`task ${outcome.taskId} waits for no pull request`);
  if (!('intent' in outcome) || !('issue' in signal)) return outcome;
  const { taskId, intent } = outcome;
  const { name } = signal.issue;
  if (intent.kind === 'cancel-task') {
    // With what a rule asks for its task may be on its way: the cancellation then comes after the creation.
    const isTakenBack = asksOf(signal).takenBack.length > 0;
    const asksForWork = isTakenBack || rules.some((rule) => rule.provider === provider && holds(rule, signal.issue));
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

const ignore = (reason: string) => ({ reason });

/** More rules than anybody has. */
const MOST_EARLIER = 100;

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

function became(outcome: Outcome): DeliveryEvent {
  if ('rule' in outcome) return { type: 'DeliveryRouted', data: outcome };
  if ('reviewId' in outcome) return { type: 'DeliveryReviewAsked', data: outcome };
  if ('verb' in outcome) return { type: 'DeliveryAnswered', data: outcome };
  return 'taskId' in outcome ? { type: 'DeliveryNoticed', data: outcome } : { type: 'DeliveryIgnored', data: outcome };
}

/**
 * One webhook delivery: what came and what became of it, in one append. The first receipt counts; a replay changes nothing. Beside it,
 * in streams of their own: which delivery brought a body, an issue's state, a message's words first or last.
 */
export const delivery: Aggregate<
  DeliveryState,
  DeliveryEvent,
  Omit<DataOf<typeof deliveryCommands>, 'delivery.take-found'>
> = {
  ...deliveryFold,
  decisions: {
    'delivery.receive': ({ received, outcome }, state) =>
      state.received ? [] : [{ type: 'DeliveryReceived', data: received }, became(outcome)],
    'delivery.note-body': (data, { first }) => (first === null ? [{ type: 'DeliveryBodyNoted', data }] : []),
    'delivery.note-state': (data, noted) => {
      const { updatedAt } = data;
      if (noted.updatedAt !== null && noted.updatedAt >= updatedAt) return [];
      const rule = data.rule ?? noted.rule;
      const begunBy = noted.begunBy ?? data.begunBy;
      const all = new Set([...noted.earlier, ...(noted.rule === null ? [] : [noted.rule]), ...(data.earlier ?? [])]);
      const earlier = [...all].filter((each) => each !== rule).slice(-MOST_EARLIER);
      const known = {
        ...(rule !== null && { rule }),
        ...(earlier.length > 0 && { earlier }),
        ...(begunBy && { begunBy }),
      };
      return [{ type: 'IssueStateNoted', data: { updatedAt, ...known } }];
    },
    'delivery.name-head': (data, { review }) => (review.isNamed ? [] : [{ type: 'ReviewHeadNamed', data }]),
    'delivery.count-review': ({ reviewId, most }, { counted }) => {
      if (counted.includes(reviewId)) return [];
      if (counted.length >= most) refuse('out-of-range', `${most} reviews were begun on this day: no more are`);
      return [{ type: 'ReviewCounted', data: { reviewId } }];
    },
    'delivery.supersede-review': (data, { review }) =>
      review.isSuperseded ? [] : [{ type: 'ReviewSuperseded', data }],
    'delivery.note-message': (data, { saidAt }) =>
      saidAt !== null && saidAt >= data.saidAt ? [] : [{ type: 'MessageNoted', data }],
  },
};
