import type { ANSWERS, ProviderName } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { same } from '@workledger/shared/contexts/sync/delivery/trusted.ts';

import type { ReviewRequest, ReviewRules } from './review-request.ts';

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
  /** Who it is assigned to, by every name that a rule may have for them; left out where the provider knows no such thing. */
  readonly assignees?: readonly string[];
  readonly author: string | null;
  readonly isOpen: boolean;
  /** Of when this state of it is, on the provider's clock: ISO 8601 in UTC; left out where the provider does not say. */
  readonly updatedAt?: string | null;
  /** The message that its words stand in, which came before, as `Words.message` names it; left out where they are here. */
  readonly wordsIn?: string | null;
};

/** What somebody does to ask for work. `what`: the label, the name after an @, the emoji, the command, the words of a message. */
export type Ask = {
  readonly by: 'label' | 'assignee' | 'mention' | 'reaction' | 'command' | 'message';
  /** Null where the provider does not tell: what was taken back is then seen by what the issue still has. */
  readonly what: string | null;
};

/** Words of a message, which a later delivery may be about without repeating them. */
export type Words = {
  readonly message: string;
  /** When they were said, as the provider tells it: of two texts of a message the later one counts. */
  readonly saidAt: string;
  readonly issue: Pick<Issue, 'id' | 'title' | 'body' | 'author'>;
};

/** What a delivery says, whichever provider it came from: something about an issue, or why it is about none. */
export type Signal = {
  /** The provider's own word for what happened. */
  readonly action: string | null;
  /** As the provider names it. */
  readonly repository: string | null;
  /** Where the same place has several names, or lies in others: all of them, from the nearest to the widest. */
  readonly places?: readonly string[];
  /** It may be in a part of this place (`place/part`), and does not say in which. */
  readonly partIsUnknown?: boolean;
  /** Who did it: a name that nobody can choose for themselves, since trust goes by it. */
  readonly sender: string | null;
  /** By which trust in them may be written, too. */
  readonly senderNames?: readonly string[];
  readonly words?: Words;
  /** What happened has a name at the provider, whichever delivery tells it: an answer is heard once. */
  readonly name?: string;
  /** Where it may be one: what has no task is no answer. */
  readonly answer?: Answer;
} & (
  | {
      readonly issue: Issue;
      readonly change:
        | { readonly kind: 'labeled'; readonly added: readonly string[] }
        | { readonly kind: 'unlabeled'; readonly removed: readonly string[] }
        | { readonly kind: 'changed'; readonly asked: readonly Ask[]; readonly takenBack: readonly Ask[] }
        | { readonly kind: 'closed' | 'deleted' | 'transferred' | 'other' };
    }
  /** A pull request of ours, by its branch. */
  | { readonly pull: { readonly number: number; readonly branch: string } }
  /** A pull request of others, which may be one to review. */
  | { readonly review: ReviewRequest }
  /** `installation`: what the app is installed for may be something else now. */
  | { readonly reason: string; readonly installation?: true }
);

/** What somebody says to a question that a task has asked where they speak. */
export type Answer = {
  /** Where the answer names them (a button does); null: those of the issue. */
  readonly taskId: string | null;
  readonly questionId: string | null;
  /** Of which issue, as `Issue.id` has it; null: the task is named. */
  readonly issue: string | null;
  readonly verb: (typeof ANSWERS)[number];
  readonly choice?: string;
  readonly words: string | null;
  /** Where the task is named by the text of one. */
  readonly pullRequest?: number;
};

/** Which deliveries ask for work: one of the ways of `Ask`, as the configuration lets each provider have it. */
export type Rule = {
  readonly name: string;
  readonly provider: ProviderName;
  readonly priority: number;
  /** Only within this place, or its parts. */
  readonly team?: string | undefined;
} & {
  /** `true`: whoever is mentioned, since the provider tells of nobody else's. */
  readonly [By in Ask['by']]?: string | true | undefined;
};

export type RoutingRules = {
  readonly repositories: readonly ({
    readonly name: string;
    /** Who may ask for work: logins of GitHub, and of others `<provider>:<sender>`. */
    readonly trusted: readonly string[];
    readonly capabilities: readonly string[];
    readonly reviews?: ReviewRules | null;
    /** What the repository is called at each provider. */
  } & { readonly [Name in ProviderName]?: string | null })[];
  readonly rules: readonly Rule[];
  /** Whose repositories are registered as the app is installed for them; null, or left out: nobody's. */
  readonly installed?: object | null;
};

/** The signal with the name of its place that a repository is registered under; untouched where none is. */
export function located(provider: ProviderName, signal: Signal, { repositories }: RoutingRules): Signal {
  const { action, repository, places = [repository], partIsUnknown = false, sender } = signal;
  const registered = repositories.flatMap((each) => each[provider] ?? []);
  const place = places.find((each) => registered.some((own) => same(own, each))) ?? repository;
  const isPart = (own: string): boolean => place !== null && own.toLowerCase().startsWith(`${place.toLowerCase()}/`);
  return partIsUnknown && registered.some(isPart)
    ? {
        action,
        repository,
        sender,
        reason: `it does not say which part of ${place} it is about, and these are registered apart`,
      }
    : { ...signal, repository: place };
}

/** What a change asks for, and what it takes back. */
export function asksOf(signal: Extract<Signal, { issue: Issue }>): {
  readonly asked: readonly Ask[];
  readonly takenBack: readonly Ask[];
} {
  const { change } = signal;
  const labels = (names: readonly string[]): Ask[] => names.map((what) => ({ by: 'label', what }));
  switch (change.kind) {
    case 'labeled':
      return { asked: labels(change.added), takenBack: [] };
    case 'unlabeled':
      return { asked: [], takenBack: labels(change.removed) };
    case 'changed':
      return change;
    default:
      return { asked: [], takenBack: [] };
  }
}

/** Whether this is what the rule waits for. */
export function meets(rule: Rule, { by, what }: Ask): boolean {
  const wanted = rule[by];
  if (wanted === undefined || wanted === true) return wanted === true;
  return by === 'message' ? startsWith(what, wanted) : same(wanted, what);
}

const startsWith = (words: string | null, wanted: string): boolean =>
  words !== null && words.slice(0, wanted.length).toLowerCase() === wanted.toLowerCase();

/** Whether the issue has what the rule asks for, whoever gave it. */
export const holds = (rule: Rule, { labels, assignees = [] }: Issue): boolean =>
  labels.some((what) => meets(rule, { by: 'label', what })) ||
  assignees.some((what) => meets(rule, { by: 'assignee', what }));
