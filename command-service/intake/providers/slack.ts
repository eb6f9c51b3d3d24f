import { foreignText, UUID_PATTERN } from '@workledger/shared/contexts/text.ts';
import { z } from 'zod';
import { answerIn, calledAnswer } from '@workledger/shared/contexts/sync/delivery/called-answer.ts';
import type { Answer, Ask, Issue, Signal, Words } from '../../domain/signal.ts';
import {
  digestOf,
  FORM,
  isSigned,
  lenient,
  readJson,
  words,
  type Provider,
  type ProviderRequest,
} from '../provider.ts';

/** Also of what is signed for a time ahead: the clocks may differ. https://docs.slack.dev/authentication/verifying-requests-from-slack */
const FRESH_SECONDS = 300;
const MAX_TEXT = 100_000;
const id = words(100);

const message = { user: id, text: words(MAX_TEXT), ts: id, thread_ts: id, bot_id: id };

/** Of the Events API. https://docs.slack.dev/apis/events-api */
const event = z.object({
  ...message,
  type: id,
  subtype: id,
  channel: lenient(z.union([z.string().transform((value) => foreignText(value, 100)), z.object({ id })])),
  event_ts: id,
  user_team: id,
  reaction: id,
  item: lenient(z.object({ type: id, channel: id, ts: id })),
  message: lenient(z.object(message)),
});
type Event = z.infer<typeof event>;

/** An event, a slash command, or what somebody did to a button: what is of use here of any of them. */
const body = z.object({
  type: id,
  challenge: words(1_000),
  ssl_check: id,
  event_id: id,
  trigger_id: id,
  team_id: id,
  event: lenient(event),
  command: id,
  text: words(MAX_TEXT),
  channel_id: id,
  user_id: id,
  user: lenient(z.object({ id })),
  channel: lenient(z.object({ id })),
  /** Buttons that were pressed. */
  actions: lenient(z.array(z.object({ action_id: id, value: words(2_000) }))),
});
type Body = z.infer<typeof body>;

/** Webhooks of Slack: events, slash commands and buttons, all at one address; a channel is what a repository is called there. */
export const slack: Provider = {
  name: 'slack',
  title: 'Slack',
  headers: { signature: 'X-Slack-Signature', timestamp: 'X-Slack-Request-Timestamp' },
  mediaTypes: ['application/json', FORM],
  // Slack waits for three seconds.
  recordedStatus: 200,
  answerMilliseconds: 2_500,
  claimedRepositories: (request) => [placeOf(understood(request))].flatMap((place) => place ?? []),
  verify: ({ headers, bytes, receivedAt }, secrets) => {
    const timestamp = headers['x-slack-request-timestamp'] ?? '';
    const hex = /^v0=(.*)$/.exec(headers['x-slack-signature'] ?? '')?.[1];
    if (!/^\d{1,12}$/.test(timestamp) || !isSigned([`v0:${timestamp}:`, bytes], hex, secrets))
      return 'X-Slack-Signature does not sign this body';
    const age = receivedAt.getTime() / 1_000 - Number(timestamp);
    return Math.abs(age) <= FRESH_SECONDS ? null : 'X-Slack-Request-Timestamp is more than five minutes off';
  },
  identify: (request) => {
    const told = understood(request) ?? {};
    if (told.type === 'url_verification') return { answer: { challenge: told.challenge ?? '' } };
    if (told.ssl_check) return { answer: {} };
    const given = told.event_id ?? told.trigger_id ?? '';
    const seconds = Number(request.headers['x-slack-request-timestamp']);
    return {
      event: told.event?.type || told.type || 'unknown',
      // What has no id of its own (that too many events are sent, that a form was closed) is told apart by what it holds.
      deliveryId: /^[\w.:-]{1,100}$/.test(given) ? given : digestOf(request.bytes),
      sentAt: new Date(seconds * 1_000).toISOString(),
    };
  },
  read: (_event, request) => {
    const told = understood(request);
    if (told === null) return { action: null, repository: null, sender: null, reason: 'the body is not understood' };
    const { type, event } = told;
    const what = { action: event?.subtype ?? null, repository: placeOf(told), sender: senderOf(told) };
    if (type === 'slash_command') return { ...what, ...readCommand(told) };
    if (type === 'block_actions') return { ...what, ...readPress(told) };
    if (type === 'event_callback' && event) return { ...what, ...readEvent(told, event) };
    return { ...what, reason: `${type ?? 'what has no type'} starts no work` };
  },
  reply: {
    schema: z.object({ response_type: z.literal('ephemeral'), text: z.string(), challenge: z.string() }).partial(),
    of: (event, told) => {
      if (event !== 'slash_command') return null;
      const text = 'taskId' in told ? `It has the task ${told.taskId}.` : `Nothing was started: ${told.reason}.`;
      return { response_type: 'ephemeral', text };
    },
  },
};

/** Null: neither a JSON object nor a form. */
function understood({ bytes, mediaType }: ProviderRequest): Body | null {
  try {
    if (mediaType !== FORM) return body.parse(readJson(bytes));
    const fields = new URLSearchParams(Buffer.from(bytes).toString());
    const payload = fields.get('payload');
    if (payload !== null) return body.parse(readJson(Buffer.from(payload)));
    const form = Object.fromEntries(fields);
    return body.parse(form['command'] === undefined ? form : { ...form, type: 'slash_command' });
  } catch {
    return null;
  }
}

const placeOf = (told: Body | null): string | null => {
  const channel = told?.event?.channel ?? told?.event?.item?.channel ?? told?.channel_id ?? told?.channel?.id;
  return (typeof channel === 'string' ? channel : channel?.id) ?? null;
};

/** Of somebody from another workspace, in a channel that is shared with it, the workspace is told, too. */
function senderOf({ event, team_id, user_id, user }: Body): string | null {
  const id = event?.user ?? user_id ?? user?.id ?? null;
  const { user_team } = event ?? {};
  return id !== null && user_team && user_team !== team_id ? `${user_team}/${id}` : id;
}

type About = Pick<Signal, 'words' | 'answer'> &
  (Pick<Extract<Signal, { issue: unknown }>, 'issue' | 'change'> | { readonly reason: string });
const change = (asked: readonly Ask[], takenBack: readonly Ask[] = []) =>
  ({ kind: 'changed', asked, takenBack }) as const;

const PRESSED = new RegExp(`^(${UUID_PATTERN})/(${UUID_PATTERN})/([^]{1,200})$`);

/** A button of ours names what it answers. */
function readPress({ actions }: Body): About {
  const [pressed] = (actions ?? []).filter(({ action_id }) => action_id?.startsWith('workledger:answer:') === true);
  const [, taskId, questionId, choice] = PRESSED.exec(pressed?.value ?? '') ?? [];
  if (taskId === undefined || questionId === undefined || choice === undefined)
    return { reason: 'it is no button of Workledger' };
  const answer: Answer = { taskId, questionId, issue: null, verb: 'answer', choice, words: null };
  return { answer, reason: 'its task is not there' };
}

function readCommand(told: Body): About {
  const { command, trigger_id, text } = told;
  if (!command || !trigger_id) return { reason: 'the command is not understood' };
  if (!text?.trim())
    return { reason: `it says nothing: write what is to be done, as in ${command} make the search faster` };
  const words = plain(text);
  const reference = `${placeOf(told) ?? ''}/${command.replace(/^\//, '')}-${trigger_id}`;
  return {
    issue: {
      ...{ id: trigger_id, name: `command ${command}`, reference, url: null },
      ...{ ...wording(words), labels: [], author: senderOf(told), isOpen: true },
    },
    change: change([{ by: 'command', what: command }]),
  };
}

/** Of messages, those that somebody wrote, as they did. */
const WRITTEN = new Set([undefined, null, 'file_share', 'thread_broadcast', 'me_message']);

function readEvent(told: Body, event: Event): About {
  switch (event.type) {
    case 'reaction_added':
    case 'reaction_removed': {
      const ts = event.item?.ts;
      if (!ts || !event.reaction) return { reason: 'the reaction is to no message' };
      // The tone of a skin is no other emoji.
      const ask: Ask = { by: 'reaction', what: event.reaction.split('::')[0] ?? '' };
      return {
        issue: { ...aboutThread(told, ts), ...wording(''), author: null, wordsIn: ts },
        change: event.type === 'reaction_added' ? change([ask]) : change([], [ask]),
      };
    }
    case 'app_mention':
    case 'message': {
      const said = event.subtype === 'message_changed' ? event.message : event;
      const reason = `event ${event.type}${event.subtype ? `, ${event.subtype},` : ''} starts no work`;
      if (!said?.ts) return { reason };
      const words = wordsOf(said.ts, said, event.event_ts ?? said.ts);
      const carried = words && { words };
      if (!WRITTEN.has(event.subtype)) return { ...carried, reason };
      if (said.bot_id) return { ...carried, reason: 'the words of a bot start no work' };
      return { ...carried, ...readWritten(told, event, said.ts) };
    }
    default:
      return { reason: `event ${event.type ?? '(none)'} starts no work` };
  }
}

const LEADING_MENTION = /^\s*<@[UW][A-Z0-9]+(?:\|[^>]*)?>[\s:,]*/;

function readWritten(told: Body, event: Event, ts: string): About {
  const { thread_ts } = event;
  const text = (event.text ?? '').replace(LEADING_MENTION, '');
  const isReply = Boolean(thread_ts) && thread_ts !== ts;
  if (text.trim() === '' && !isReply) return { reason: 'it says nothing: write what is to be done' };
  const issue: Issue = {
    ...aboutThread(told, thread_ts || ts),
    ...{ ...wording(plain(text)), author: event.user ?? null },
    // Who only mentions the app in a thread means what the thread began with.
    ...(text.trim() === '' && { wordsIn: thread_ts ?? null }),
  };
  const asked: Ask =
    event.type === 'app_mention' ? { by: 'mention', what: null } : { by: 'message', what: event.text ?? '' };
  // A mention may be of anybody, but where Slack says that it is of us.
  const said = event.type === 'app_mention' ? answerIn(plain(text)) : calledAnswer(plain(text));
  const answer = said && isReply && { ...said, taskId: null, questionId: null, issue: issue.id };
  return { issue, change: change([asked]), ...(answer && { answer }) };
}

function wordsOf(ts: string, said: Pick<Event, keyof typeof message>, saidAt: string): Words | null {
  const text = plain((said.text ?? '').replace(LEADING_MENTION, ''));
  return text.trim() === ''
    ? null
    : { message: ts, saidAt, issue: { id: said.thread_ts || ts, ...wording(text), author: said.user ?? null } };
}

/** One thread is one issue, whichever of its messages asks. */
function aboutThread(told: Body, thread: string) {
  const channel = placeOf(told) ?? '';
  const url = told.team_id
    ? `https://app.slack.com/client/${told.team_id}/${channel}/thread/${channel}-${thread}`
    : null;
  return { id: thread, name: `thread ${thread}`, reference: `${channel}/${thread}`, url, labels: [], isOpen: true };
}

const wording = (text: string) => ({ title: text.trim().split('\n')[0] ?? '', body: text });

/** Slack escapes these three, and no others. https://docs.slack.dev/messaging/formatting-message-text */
const plain = (text: string): string => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
