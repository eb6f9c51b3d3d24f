import { z } from 'zod';
import { inRun } from '../run-component.ts';
import { githubComponent, type GithubRepository } from './repository.ts';

const checkRuns = z.object({
  check_runs: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      status: z.string(),
      conclusion: z.string().nullish(),
      html_url: z.string().nullish(),
      app: z.object({ slug: z.string().nullish() }).nullish(),
      output: z
        .object({ title: z.string().nullish(), summary: z.string().nullish(), text: z.string().nullish() })
        .nullish(),
    }),
  ),
});
const combined = z.object({
  statuses: z.array(
    z.object({
      context: z.string(),
      state: z.string(),
      target_url: z.string().nullish(),
      description: z.string().nullish(),
    }),
  ),
});

const verdict = z.object({
  name: z.string(),
  state: z.enum(['pending', 'passed', 'failed']),
  /** GitHub's own word, such as `timed_out`. */
  conclusion: z.string(),
  url: z.string().nullable(),
});
type Verdict = z.infer<typeof verdict>;

const PASSED = new Set(['success', 'neutral', 'skipped']);

export const checkRunsOf = (repository: GithubRepository, commit: string) =>
  repository.list(
    `/commits/${commit}/check-runs?filter=latest&per_page=100`,
    checkRuns,
    ({ check_runs }) => check_runs,
  );

/** Its check runs are jobs, which have logs, under the same ids. */
const ACTIONS = 'github-actions';

/** What a check says of itself: it may be long, and stays out of results. */
export type Told = Verdict & { readonly id: number | null; readonly isJob: boolean; readonly words: readonly string[] };
export type Verdicts = { readonly state: 'none' | Verdict['state']; readonly checks: readonly Told[] };

/** What checks and statuses say of a commit, all of them but those that are named: our own. */
export const checks = githubComponent({
  request: inRun.extend({ commit: z.string(), except: z.array(z.string()) }),
  result: z.object({
    /** `none`: nothing was begun on this commit, so far. */
    state: z.enum(['none', 'pending', 'passed', 'failed']),
    checks: z.array(verdict),
  }),
  act: async (asked, repository) => {
    const { state, checks } = await verdictsOf(repository, asked);
    return { state, checks: checks.map(({ id: _id, isJob: _isJob, words: _words, ...told }) => told) };
  },
});

export async function verdictsOf(
  repository: GithubRepository,
  { commit, except }: { readonly commit: string; readonly except: readonly string[] },
  listRuns: typeof checkRunsOf = checkRunsOf,
): Promise<Verdicts> {
  const runs = await listRuns(repository, commit);
  const statuses = await repository.list(`/commits/${commit}/status?per_page=100`, combined, (page) => page.statuses);
  const all: Told[] = [
    ...runs.map(({ id, name, status, conclusion, html_url, app, output }) => ({
      id,
      isJob: (app?.slug ?? ACTIONS) === ACTIONS,
      words: [output?.title, output?.summary, output?.text].flatMap((part) => part ?? []),
      name,
      state: status !== 'completed' ? ('pending' as const) : stateOf(PASSED.has(conclusion ?? '')),
      conclusion: conclusion ?? status,
      url: html_url ?? null,
    })),
    ...statuses.map(({ context, state, target_url, description }) => ({
      id: null,
      isJob: false,
      words: [description].flatMap((part) => part ?? []),
      name: context,
      state: state === 'pending' ? ('pending' as const) : stateOf(state === 'success'),
      conclusion: state,
      url: target_url ?? null,
    })),
  ].filter(({ name }) => !except.includes(name));
  const is = (state: Verdict['state']): boolean => all.some((one) => one.state === state);
  const state: 'none' | Verdict['state'] = is('failed')
    ? 'failed'
    : is('pending')
      ? 'pending'
      : all.length === 0
        ? 'none'
        : 'passed';
  return { state, checks: all };
}

const stateOf = (isPassed: boolean): 'passed' | 'failed' => (isPassed ? 'passed' : 'failed');

const reviewsOfPull = z.array(
  z.object({
    id: z.int(),
    state: z.string(),
    user: z.object({ id: z.int() }).nullish(),
    commit_id: z.string().nullish(),
  }),
);

/** What people say of a pull request: the last word of each counts, a mere comment is none. Their words stay on GitHub. */
export const reviews = githubComponent({
  request: inRun.extend({ number: z.int().positive() }),
  result: z.object({
    state: z.enum(['none', 'approved', 'changes-requested']),
    approvals: z.int().min(0),
    /** Reviews that ask for changes, by GitHub's ids. */
    changesRequested: z.array(z.int()),
  }),
  act: async ({ number }, repository) => {
    const all = await repository.list(`/pulls/${number}/reviews?per_page=100`, reviewsOfPull, (page) => page);
    const last = new Map<number, { readonly id: number; readonly state: string }>();
    for (const { id, state, user } of all)
      if (user !== null && user !== undefined && state !== 'COMMENTED' && state !== 'PENDING')
        last.set(user.id, { id, state });
    const said = [...last.values()];
    const approvals = said.filter(({ state }) => state === 'APPROVED').length;
    const changesRequested = said.filter(({ state }) => state === 'CHANGES_REQUESTED').map(({ id }) => id);
    const state: 'none' | 'approved' | 'changes-requested' =
      changesRequested.length > 0 ? 'changes-requested' : approvals > 0 ? 'approved' : 'none';
    return { state, approvals, changesRequested };
  },
});
