import { z } from 'zod';
import { inRun } from '../run-component.ts';
import { quoted } from './body.ts';
import { linkToTask } from '../environment.ts';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import { githubComponent, type GithubRepository } from './repository.ts';

const request = inRun.extend({
  commit: z.string(),
  /** As it stands beside the commit. */
  name: z.string().min(1).max(100),
  /** Ours: finds it again. */
  externalId: z.string().min(1).max(200),
  state: z.enum(['queued', 'in_progress', 'success', 'failure', 'neutral', 'cancelled']),
  title: z.string().min(1).max(200),
  summary: z.string().max(60_000),
  link: z.url({ protocol: /^https?$/ }).nullable(),
});
type Request = z.infer<typeof request>;

/** `as`: only an app may make check runs; a token's word is a commit status. */
const result = z.object({ outcome: z.enum(['made', 'updated', 'unchanged']), as: z.enum(['check-run', 'status']) });
type Result = z.infer<typeof result>;

/** What Workledger says of a commit, in one place that is told anew. */
export const check = githubComponent({
  request,
  result,
  act: (given, repository, { environment }) => {
    const link = given.link ?? linkToTask(environment, given.taskId);
    const asked = { ...given, link, summary: quoted(given.summary) };
    return showCheck(repository, asked);
  },
});

type Shown = Omit<Request, keyof z.infer<typeof inRun>> & {
  /** At most 50; of a check run, when it is made: GitHub adds them to those there are. */
  readonly annotations?: readonly object[];
};

export const showCheck = (repository: GithubRepository, asked: Shown): Promise<Result> =>
  repository.github.isApp ? asCheckRun(repository, asked) : asStatus(repository, asked);

const checkRun = z.object({
  id: z.int(),
  external_id: z.string().nullish(),
  status: z.string(),
  conclusion: z.string().nullish(),
  output: z.object({ title: z.string().nullish(), summary: z.string().nullish() }).nullish(),
});
type CheckRun = z.infer<typeof checkRun>;
const checkRuns = z.object({ check_runs: z.array(checkRun) });

async function asCheckRun(repository: GithubRepository, asked: Shown): Promise<Result> {
  const { name, commit, externalId, state, title, summary, link } = asked;
  const isOver = state !== 'queued' && state !== 'in_progress';
  const told = {
    status: isOver ? 'completed' : state,
    ...(isOver && { conclusion: state }),
    output: { title, summary: summary === '' ? title : summary.toWellFormed() },
    ...(link !== null && { details_url: link }),
  };
  const path = `/commits/${commit}/check-runs?check_name=${encodeURIComponent(name)}&filter=all&per_page=100`;
  const find = async (): Promise<CheckRun | null> =>
    (await repository.list(path, checkRuns, ({ check_runs }) => check_runs)).find(
      ({ external_id }) => external_id === externalId,
    ) ?? null;
  const make = async (): Promise<CheckRun> => {
    const output = { ...told.output, ...(asked.annotations !== undefined && { annotations: asked.annotations }) };
    const body = { name, head_sha: commit, external_id: externalId, ...told, output };
    return repository.read(await repository.change('POST', '/check-runs', body), checkRun);
  };
  const { found, isNew } = await findOrMake(find, make);
  if (isNew) return { outcome: 'made', as: 'check-run' };
  const same =
    found.status === told.status &&
    (found.conclusion ?? undefined) === told.conclusion &&
    found.output?.title === told.output.title &&
    found.output.summary === told.output.summary;
  if (same) return { outcome: 'unchanged', as: 'check-run' };
  repository.read(await repository.change('PATCH', `/check-runs/${found.id}`, told), checkRun);
  return { outcome: 'updated', as: 'check-run' };
}

const statuses = z.array(
  z.object({
    context: z.string(),
    state: z.string(),
    description: z.string().nullish(),
    target_url: z.string().nullish(),
  }),
);
const STATUS = {
  queued: 'pending',
  in_progress: 'pending',
  success: 'success',
  neutral: 'success',
  failure: 'failure',
  cancelled: 'error',
} as const;
const DESCRIPTION_LENGTH = 140;

/** The newest of a context counts; GitHub keeps a thousand. */
async function asStatus(repository: GithubRepository, { commit, name, state, title, link }: Shown): Promise<Result> {
  const told = {
    state: STATUS[state],
    description: title.slice(0, DESCRIPTION_LENGTH).toWellFormed(),
    target_url: link,
  };
  const all = await repository.list(`/commits/${commit}/statuses?per_page=100`, statuses, (page) => page);
  const now = all.find(({ context }) => context === name);
  const same = now?.state === told.state && now.description === told.description && (now.target_url ?? null) === link;
  if (same) return { outcome: 'unchanged', as: 'status' };
  const answer = await repository.change('POST', `/statuses/${commit}`, { ...told, context: name });
  repository.read(answer, z.object({ state: z.string() }));
  return { outcome: now === undefined ? 'made' : 'updated', as: 'status' };
}
