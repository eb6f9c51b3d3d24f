import { createHash } from 'node:crypto';
import { missingCheck } from './required-checks.ts';

export type FakePull = {
  readonly number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  draft: boolean;
  merged_at: string | null;
  merge_commit_sha: string | null;
  head: string;
  /** Of a branch that is gone, the last one. */
  sha: string;
  base: string;
  /** Who opened it. Default: `somebody`. */
  readonly login?: string;
  readonly created_at?: string;
  updated_at?: string;
};

export type FakeComment = {
  readonly id: number;
  readonly number: number;
  body: string;
  readonly login: string;
  readonly at?: string;
};
export type FakeCheckRun = { readonly id: number; readonly appId: string } & Record<string, unknown>;
export type FakeStatus = { readonly sha: string; readonly context: string; readonly state: string } & Record<
  string,
  unknown
>;
export type FakeReview = {
  readonly id: number;
  readonly user: number;
  readonly state: string;
  readonly body: string;
  /** Default: `user-<user>`. */
  readonly login?: string;
};
/** A file that a pull request changes, as GitHub shows it. */
export type FakeFile = { readonly filename: string; readonly patch?: string };

/** A job as GitHub shows it, and its log. */
export type FakeJob = { readonly log: string; readonly steps?: readonly Record<string, unknown>[] };

/** A delivery of an app, as its list tells it. */
export type FakeDelivery = {
  readonly id: number;
  readonly guid: string;
  readonly delivered_at: string;
  readonly redelivery: boolean;
  readonly status_code: number;
};

/** A repository as the fake keeps it; a test may change whatever it likes. */
export type FakeRepository = {
  /** `owner/name` */
  readonly name: string;
  /** Where git finds it; null: at GitHub's own address. */
  cloneUrl: string | null;
  defaultBranch: string;
  /** Commits by branch. */
  readonly branches: Map<string, string>;
  readonly pulls: FakePull[];
  readonly comments: FakeComment[];
  readonly labels: Map<number, string[]>;
  readonly checkRuns: FakeCheckRun[];
  readonly statuses: FakeStatus[];
  readonly reviews: Map<number, FakeReview[]>;
  /** Comments on lines, by pull request, as GitHub shows them. */
  readonly notes: Map<number, Record<string, unknown>[]>;
  /** Changed files, by pull request. */
  readonly files: Map<number, readonly FakeFile[]>;
  /** Jobs of Actions by id, each with its log. */
  readonly jobs: Map<number, FakeJob>;
  /** What happened to issues, as GitHub tells it, the oldest first. */
  readonly issueEvents: Record<string, unknown>[];
  archived: boolean;
  issuesDisabled: boolean;
  /** GitHub's words for why nothing can be merged now; null: it can. */
  notMergeable: string | null;
  /** Only these may be asked for; null: all. */
  permissions: readonly string[] | null;
  /** Branch protection: statuses or check runs by name, without whose success on the head nobody merges. */
  readonly requiredChecks: string[];
  /** Branch protection: a head must have all that its base has before it may be merged. */
  mustBeUpToDate: boolean;
  /** Whether the head has all that its base has. */
  isUpToDate: (pull: FakePull) => boolean;
  /** Makes a merge happen elsewhere, too. @returns the commit of the base branch then */
  onMerge: (pull: FakePull) => string;
  nextNumber: number;
  nextId: number;
};

export const createFakeRepository = (name: string): FakeRepository => ({
  name,
  cloneUrl: null,
  defaultBranch: 'main',
  branches: new Map([['main', commitOf('main')]]),
  pulls: [],
  comments: [],
  labels: new Map(),
  checkRuns: [],
  statuses: [],
  reviews: new Map(),
  notes: new Map(),
  files: new Map(),
  jobs: new Map(),
  issueEvents: [],
  archived: false,
  issuesDisabled: false,
  notMergeable: null,
  permissions: null,
  requiredChecks: [],
  mustBeUpToDate: false,
  isUpToDate: () => true,
  onMerge: ({ sha }) => commitOf(`merge of ${sha}`),
  nextNumber: 1,
  nextId: 1_000,
});

/** A commit's id, made of any words. */
export const commitOf = (words: string): string => createHash('sha1').update(words).digest('hex');

/** As GitHub shows it. */
export function shownPull(repository: FakeRepository, pull: FakePull, url: string): Record<string, unknown> {
  const { head, base, sha, login = 'somebody', ...rest } = pull;
  const at = pull.created_at ?? new Date(0).toISOString();
  const repo = { full_name: repository.name };
  return {
    ...rest,
    id: 9_000 + pull.number,
    html_url: `${url}/${repository.name}/pull/${pull.number}`,
    user: { login, id: 1 },
    author_association: 'CONTRIBUTOR',
    labels: (repository.labels.get(pull.number) ?? []).map((name) => ({ name })),
    ...{ created_at: at, updated_at: pull.updated_at ?? at },
    assignees: [],
    merged: pull.merged_at !== null,
    mergeable: pull.state === 'open' ? repository.notMergeable === null : null,
    mergeable_state: pull.state === 'open' ? openState(repository, pull) : 'unknown',
    head: { ref: head, sha: repository.branches.get(head) ?? sha, repo, label: `${ownerOf(repository)}:${head}` },
    base: { ref: base, sha: repository.branches.get(base) ?? '', repo },
  };
}

const openState = (repository: FakeRepository, pull: FakePull): string =>
  repository.mustBeUpToDate && !repository.isUpToDate(pull)
    ? 'behind'
    : repository.notMergeable === null &&
        missingCheck(repository, repository.branches.get(pull.head) ?? pull.sha) === null
      ? 'clean'
      : 'blocked';

export const ownerOf = ({ name }: Pick<FakeRepository, 'name'>): string => name.split('/')[0] ?? '';
