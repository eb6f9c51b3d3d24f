import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * A plugin: takes webhooks of Gitea, and keeps one comment at each issue that work was asked for at.
 * It imports nothing of Workledger: what it gets and gives is interface 1 (`shared/plugins/plugin.ts`).
 * @param {{ configuration: { url: string }, secrets: Record<string, readonly string[]> }} context
 */
export default function createPlugin({ configuration, secrets }) {
  const headers = () => ({ Authorization: `token ${secrets.token?.[0] ?? ''}` });
  return {
    providers: { gitea },
    targets: { server: { base: `${configuration.url.replace(/\/$/, '')}/api/v1`, atOnce: 2 } },
    components: { comment: { seconds: 60, perform: (request, tools) => comment(request, tools, headers()) } },
    handlers: { 'tell-issue': { types: Object.keys(WORDS), handle: tellIssue } },
  };
}

/** Webhooks of Gitea: labels ask for work. https://docs.gitea.com/usage/webhooks */
const gitea = {
  title: 'Gitea',
  headers: { signature: 'X-Gitea-Signature', event: 'X-Gitea-Event', delivery: 'X-Gitea-Delivery' },
  mediaTypes: ['application/json'],
  verify: ({ headers, bytes }, secrets) =>
    secrets.some((secret) => isSigned(bytes, headers['x-gitea-signature'], secret))
      ? null
      : 'X-Gitea-Signature does not sign this body',
  identify: ({ headers }) => ({
    event: String(headers['x-gitea-event'] ?? 'unknown').slice(0, 100),
    deliveryId: String(headers['x-gitea-delivery'] ?? 'unknown').slice(0, 100),
  }),
  read: (event, { bytes }) => {
    const nothing = { action: null, repository: null, sender: null };
    if (event !== 'issues') return { ...nothing, reason: `event ${event} starts no work` };
    const body = JSON.parse(bytes.toString());
    const { action, repository, sender, issue } = body;
    if (typeof issue?.number !== 'number' || typeof repository?.full_name !== 'string')
      return { ...nothing, reason: 'the body tells of no issue' };
    const labels = (issue.labels ?? []).map(({ name }) => String(name));
    return {
      ...{ action: String(action), repository: repository.full_name, sender: sender?.login ?? null },
      issue: {
        ...{ id: String(issue.number), name: `issue #${issue.number}`, url: issue.html_url ?? null },
        ...{ reference: `${repository.full_name}#${issue.number}`, title: String(issue.title), body: issue.body ?? '' },
        ...{ labels, author: issue.user?.login ?? null, isOpen: issue.state === 'open' },
      },
      change: changeOf(action, labels),
    };
  },
};

function isSigned(bytes, given, secret) {
  const expected = createHmac('sha256', secret).update(bytes).digest();
  const found = Buffer.from(/^[0-9a-f]{64}$/.test(given ?? '') ? given : '', 'hex');
  return found.length === expected.length && timingSafeEqual(found, expected);
}

/** Gitea tells which labels there are now, and not which were taken away. */
function changeOf(action, labels) {
  if (action === 'closed') return { kind: 'closed' };
  if (action !== 'label_updated' && action !== 'label_cleared') return { kind: 'other' };
  return {
    kind: 'changed',
    asked: labels.map((what) => ({ by: 'label', what })),
    takenBack: [{ by: 'label', what: null }],
  };
}

const WORDS = {
  TaskClaimed: () => 'An agent works on it.',
  TaskCompleted: ({ result }) => `Done: ${result.merged ? 'merged' : `on branch \`${result.branch}\``}.`,
  TaskFailed: ({ failure }) => `It did not work out: ${failure.reason}`,
  TaskCancelled: ({ reason }) => `Cancelled: ${reason}`,
};

/** Tells the issue that the task came from what has become of it. */
async function tellIssue({ type, stream, data }, tools) {
  const taskId = stream.slice('task-'.length);
  const { source, repository } = await tools.task(taskId);
  if (source?.kind !== 'gitea' || source.reference === null || repository === null) return;
  await tools.call('comment', { taskId, repository, reference: source.reference, text: WORDS[type](data) });
}

/** The one comment of a task at its issue: found by its mark, so that the same again changes nothing. */
async function comment({ taskId, reference, text }, { send }, headers) {
  const [, place, number] = /^([^#]+)#(\d+)$/.exec(reference) ?? [];
  if (place === undefined) throw new Error(`${reference} is no issue of Gitea`);
  const mark = `<!-- workledger ${taskId} -->`;
  const issue = `/repos/${place.split('/').map(encodeURIComponent).join('/')}/issues`;
  const body = { body: `${text}\n\n${mark}` };
  const known = await find(`${issue}/${number}/comments`, mark, send, headers);
  if (known?.body === body.body) return { id: known.id, changed: false };
  const answer = known
    ? await send('server', { method: 'PATCH', path: `${issue}/comments/${known.id}`, headers, body })
    : await send('server', { method: 'POST', path: `${issue}/${number}/comments`, headers, body });
  if (answer.status >= 300) throw new Error(`Gitea answers ${answer.status}`);
  return { id: JSON.parse(answer.body.toString()).id, changed: true };
}

async function find(path, mark, send, headers) {
  for (let page = 1; ; page += 1) {
    const answer = await send('server', { method: 'GET', path: `${path}?page=${page}&limit=50`, headers });
    if (answer.status !== 200) throw new Error(`Gitea answers ${answer.status}`);
    const comments = JSON.parse(answer.body.toString());
    const found = comments.find(({ body }) => body.includes(mark));
    if (found !== undefined || comments.length < 50) return found;
  }
}
