import { createHmac, timingSafeEqual } from 'node:crypto';

/** Webhooks of Gitea: labels ask for work. https://docs.gitea.com/usage/webhooks */
export const gitea = {
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
