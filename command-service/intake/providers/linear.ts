import { parsePart } from '@workledger/shared/http/parse.ts';
import { z } from 'zod';
import { calledAnswer } from '@workledger/shared/contexts/sync/delivery/called-answer.ts';
import type { Ask, Signal } from '../../domain/signal.ts';
import { isSigned, lenient, readJson, words, type Provider } from '../provider.ts';

/** More than Linear allows for any of these: a bound, not a rule. */
const MAX_BODY = 1_000_000;
const MAX_ITEMS = 200;
/**
 * Linear sends again after a minute, an hour and six hours, with the first one's time in it: a strict minute would lose all of these.
 * Source: https://linear.app/developers/webhooks
 */
const MAX_AGE_SECONDS = 8 * 3_600;
const MAX_AHEAD_SECONDS = 300;

const identifyingHeaders = z.object({
  'linear-event': z.string().regex(/^\w{1,100}$/, 'the name of an event'),
  'linear-delivery': z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'the id of a delivery'),
});

const someone = lenient(z.object({ id: words(100), name: words(200), email: words(300) }));
const place = {
  team: lenient(z.object({ key: words(100) })),
  project: lenient(z.object({ id: words(100), name: words(200) })),
};
const issue = {
  ...{ id: words(100), identifier: words(100), title: words(1_000), url: words(2_000), ...place },
  state: lenient(z.object({ type: words(50) })),
};

/** What is of use here of the fields of a delivery; all of it stays in the artefact store. https://linear.app/developers/webhooks */
const payload = z.object({
  type: words(100),
  action: words(100),
  actor: someone,
  url: words(2_000),
  webhookTimestamp: lenient(z.number().min(0).max(8e15)),
  /** The old values of what an update changed: ids, never names. */
  updatedFrom: lenient(z.record(z.string(), z.unknown())),
  data: lenient(
    z.object({
      ...issue,
      description: words(MAX_BODY),
      assignee: someone,
      delegate: someone,
      creator: someone,
      labels: lenient(z.unknown()),
      updatedAt: lenient(z.iso.datetime({ offset: true })),
      /** Of a comment. */
      body: words(MAX_BODY),
      user: someone,
      issueId: words(100),
      issue: lenient(z.object(issue)),
    }),
  ),
});
type Payload = z.infer<typeof payload>;
type Data = NonNullable<Payload['data']>;
const label = lenient(z.object({ id: words(100), name: words(200) }));

/** Webhooks of Linear: a team, or a project of it (`team/project`), is what a repository is called there. */
export const linear: Provider = {
  name: 'linear',
  title: 'Linear',
  headers: { signature: 'Linear-Signature', event: 'Linear-Event', delivery: 'Linear-Delivery' },
  mediaTypes: ['application/json'],
  // Linear sends again whatever is not answered 200, and waits for five seconds.
  recordedStatus: 200,
  answerMilliseconds: 4_500,
  claimedRepositories: ({ bytes }) => placesOf(understood(bytes)?.data),
  verify: ({ headers, bytes, receivedAt }, secrets, maxAgeSeconds = MAX_AGE_SECONDS) => {
    if (!isSigned([bytes], headers['linear-signature'], secrets)) return 'Linear-Signature does not sign this body';
    const sent = understood(bytes)?.webhookTimestamp;
    // What does not say when it was sent is recorded, and starts nothing.
    if (typeof sent !== 'number') return null;
    const age = (receivedAt.getTime() - sent) / 1_000;
    if (age > maxAgeSeconds) return 'webhookTimestamp is too long ago';
    return age < -MAX_AHEAD_SECONDS ? 'webhookTimestamp is ahead of the clock here' : null;
  },
  identify: ({ headers, bytes }) => {
    const given = parsePart(identifyingHeaders, headers, 'headers');
    const sent = understood(bytes)?.webhookTimestamp;
    return {
      event: given['linear-event'],
      deliveryId: given['linear-delivery'].toLowerCase(),
      ...(typeof sent === 'number' && { sentAt: new Date(sent).toISOString() }),
    };
  },
  read: (event, { bytes }) => {
    const told = understood(bytes);
    if (told === null) return { action: null, repository: null, sender: null, reason: 'the body is not understood' };
    const { data, action, type } = told;
    const places = placesOf(data);
    const actor = told.actor ?? data?.user;
    const what = {
      action: action ?? null,
      repository: places.at(-1) ?? null,
      places,
      sender: actor?.email ?? actor?.id ?? null,
      ...(actor?.email && actor.id && { senderNames: [actor.id] }),
    };
    if (typeof told.webhookTimestamp !== 'number') return { ...what, reason: 'it does not say when it was sent' };
    // The header is not signed.
    if (type === 'Issue') return { ...what, ...readIssue(told) };
    if (type === 'Comment') return { ...what, ...readComment(told, what.sender) };
    return { ...what, reason: `event ${type ?? event} starts no work` };
  },
};

/** Null: no JSON object. */
function understood(bytes: Uint8Array): Payload | null {
  try {
    return payload.parse(readJson(bytes));
  } catch {
    return null;
  }
}

/** A project is found by its id as well as by its name, which may change. */
function placesOf(data: Payload['data']): string[] {
  const { team, project } = data?.issue ?? data ?? {};
  const key = team?.key;
  if (!key) return [];
  return [...[project?.id, project?.name].flatMap((part) => (part ? [`${key}/${part}`] : [])), key];
}

type About = Pick<Extract<Signal, { issue: unknown }>, 'issue' | 'change'> | { readonly reason: string };
const nothing: About = { reason: 'it does not say which issue it is about' };

function readIssue(told: Payload): About {
  const { data } = told;
  if (!data?.id) return nothing;
  const { id, title, description, updatedAt } = data;
  const { assignee, delegate } = data;
  return {
    issue: {
      ...named(id, data),
      url: data.url ?? told.url ?? null,
      title: title ?? '',
      body: description ?? '',
      labels: labelsOf(data).flatMap(({ name }) => name ?? []),
      assignees: [...namesOf(assignee), ...namesOf(delegate)],
      author: data.creator?.email ?? data.creator?.id ?? null,
      isOpen: isOpen(data),
      ...(updatedAt && { updatedAt: new Date(updatedAt).toISOString() }),
    },
    change: readChange(told, data),
  };
}

const named = (id: string, { identifier }: Pick<Data, 'identifier'>) => ({
  id,
  name: `issue ${identifier ?? id}`,
  reference: identifier ?? id,
});
const labelsOf = ({ labels }: Data) =>
  (Array.isArray(labels) ? labels.slice(0, MAX_ITEMS) : []).flatMap((each) => label.parse(each) ?? []);
const namesOf = (person: Data['assignee']): string[] =>
  [person?.email, person?.id, person?.name].flatMap((name) => name || []);
const isOpen = ({ state }: Pick<Data, 'state'>): boolean =>
  !['completed', 'canceled', 'duplicate'].includes(state?.type ?? '');

function readChange({ action, updatedFrom }: Payload, data: Data) {
  if (action === 'remove') return { kind: 'deleted' } as const;
  const isNew = action === 'create';
  const from = updatedFrom ?? {};
  if (!isNew && 'stateId' in from && !isOpen(data)) return { kind: 'closed' } as const;
  const asked: Ask[] = [];
  const takenBack: Ask[] = [];
  const before = Array.isArray(from['labelIds']) ? from['labelIds'].slice(0, MAX_ITEMS) : null;
  if (isNew || before !== null) {
    const labels = labelsOf(data);
    const added = labels.filter(({ id }) => before?.includes(id) !== true);
    asked.push(...added.flatMap(({ name }): Ask[] => (name ? [{ by: 'label', what: name }] : [])));
    if (before?.some((id) => !labels.some((each) => each.id === id)) === true)
      takenBack.push({ by: 'label', what: null });
  }
  for (const [person, field] of [
    [data.assignee, 'assigneeId'],
    [data.delegate, 'delegateId'],
  ] as const) {
    if (!isNew && !(field in from)) continue;
    asked.push(...namesOf(person).map((what): Ask => ({ by: 'assignee', what })));
    if (typeof from[field] === 'string') takenBack.push({ by: 'assignee', what: null });
  }
  return asked.length + takenBack.length === 0
    ? ({ kind: 'other' } as const)
    : ({ kind: 'changed', asked, takenBack } as const);
}

const MENTION = /(?<![\w@/])@(\w(?:[\w.-]{0,98}\w)?)/g;

/** A comment that mentions somebody; what it quotes or shows as code was said by others, or to nobody. */
function readComment({ action, data, url }: Payload, author: string | null): (About & Partial<Signal>) | About {
  const about = data?.issue;
  const id = about?.id ?? data?.issueId;
  if (!id || !data) return nothing;
  const said = (data.body ?? '')
    .replaceAll(/```[^]*?(?:```|$)/g, '')
    .replaceAll(/`[^`\n]*`/g, '')
    .replaceAll(/^[ \t]*>.*$/gm, '');
  const mentioned = [...said.matchAll(MENTION)].slice(0, MAX_ITEMS);
  const asked = mentioned.map(([, name = '']): Ask => ({ by: 'mention', what: name }));
  const answer = action === 'create' ? calledAnswer(data.body ?? '') : null;
  return {
    ...(answer && { answer: { ...answer, taskId: null, questionId: null, issue: id } }),
    // Linear tells the team of a comment's issue, and not its project.
    ...{ partIsUnknown: !about?.project },
    issue: {
      ...named(id, about ?? { identifier: null }),
      url: url ?? about?.url ?? null,
      title: about?.title ?? '',
      body: data.body ?? '',
      labels: [],
      author,
      // Where it is told; else Linear is asked when the work begins.
      isOpen: about ? isOpen(about) : true,
    },
    change: action === 'create' && asked.length > 0 ? { kind: 'changed', asked, takenBack: [] } : { kind: 'other' },
  };
}
