import { comment, pullRequest } from './server.js';
import { gitea } from './webhooks.js';

/**
 * A plugin: takes webhooks of Gitea, keeps one comment at each issue that work was asked for at, and offers work that nobody merged by
 * a pull request. It imports nothing of Workledger: what it gets and gives is interface 1 (`shared/plugins/plugin.ts`).
 * @param {{ configuration: { url: string }, secrets: Record<string, readonly string[]> }} context
 */
export default function createPlugin({ configuration, secrets }) {
  const headers = () => ({ Authorization: `token ${secrets.token?.[0] ?? ''}` });
  return {
    providers: { gitea },
    targets: { server: { base: `${configuration.url.replace(/\/$/, '')}/api/v1`, atOnce: 2 } },
    components: {
      comment: { seconds: 60, perform: (request, tools) => comment(request, tools, headers()) },
      'pull-request': { seconds: 120, perform: (request, tools) => pullRequest(request, tools, headers()) },
    },
    handlers: { 'tell-issue': { types: Object.keys(WORDS), handle: tellIssue } },
  };
}

const WORDS = {
  TaskClaimed: () => 'An agent works on it.',
  TaskApprovalAsked: (_, pull) => `The work is good, and waits for an approval${whereOf(pull, '')}.`,
  TaskCompleted: ({ result: { merged, branch } }, pull) =>
    branch === null || merged
      ? `Done${merged ? ': merged' : ''}.`
      : `Done${whereOf(pull, `: on branch \`${branch}\``)}.`,
  TaskFailed: ({ failure }) => `It did not work out: ${failure.reason}`,
  TaskCancelled: ({ reason }) => `Cancelled: ${reason}`,
};

const whereOf = ({ url = null, why = null }, otherwise) =>
  url !== null ? `: ${url}` : `${otherwise}${why === null ? '' : ` (no pull request: ${why})`}`;

/**
 * What a pull request is to be after an event. An event may come late, after others of its task: it then opens nothing that is over,
 * and closes nothing that was begun anew.
 */
const WANTED = {
  TaskApprovalAsked: ({ claimId }, { status, ...task }) =>
    status === 'validation' && task.claimId === claimId ? 'open' : null,
  TaskCompleted: ({ result: { merged, branch } }) => (merged ? 'closed' : branch === null ? null : 'open'),
  TaskFailed: (_, { status }) => (status === 'failed' ? 'closed' : null),
  TaskCancelled: (_, { status }) => (status === 'cancelled' ? 'closed' : null),
};

/** Tells the issue that the task came from what has become of it. */
async function tellIssue({ type, stream, revision, data }, tools) {
  const taskId = stream.slice('task-'.length);
  const task = await tools.task(taskId);
  const { source, repository } = task;
  if (repository === null) return;
  const pull = await followPull({ type, data, taskId }, task, tools);
  if (source?.kind !== 'gitea' || source.reference === null) return;
  const text = WORDS[type](data, pull);
  await tools.call('comment', { taskId, repository, reference: source.reference, revision, text });
}

/** Work that waits for people is offered by a pull request; what is over without them is offered no more. */
async function followPull({ type, data, taskId }, task, tools) {
  const wanted = WANTED[type]?.(data, task) ?? null;
  const { named: place = null, baseBranch: base } = tools.repository(task.repository) ?? {};
  if (wanted === null || place === null) return {};
  const about = { taskId, repository: task.repository, place, branch: `workledger/${taskId}` };
  const close = (text) => tools.call('pull-request', { ...about, wanted: 'closed', text });
  if (wanted === 'closed') return close(WORDS[type](data, {}));
  const words = { title: task.title, text: offerOf(task, { taskId, place, change: data.result?.diffStat ?? null }) };
  const offered = await tools.call('pull-request', { ...about, wanted, base, run: data.claimId, ...words });
  // Whoever was held up while it was opened finds it over.
  const { status } = await tools.task(taskId);
  return status === 'failed' || status === 'cancelled' ? close(`The task is ${status}.`) : offered;
}

function offerOf({ source, link }, { taskId, place, change }) {
  const [where, number] = source?.kind === 'gitea' ? (source.reference ?? '').split('#') : [];
  return [
    where === place ? `Closes #${number}.` : null,
    change && `Files that it changes: ${change.files} (+${change.insertions} −${change.deletions}).`,
    `Task: ${link ?? taskId}`,
  ]
    .filter((line) => line !== null)
    .join('\n\n');
}
