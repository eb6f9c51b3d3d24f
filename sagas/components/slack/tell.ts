import { z } from 'zod';
import type { Call } from '../run-component.ts';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import { Refused, STAGES } from '../replies/refused.ts';
import { howToAnswer, replyComponent, type Message, type ReplyRequest } from '../replies/reply.ts';
import type { Slack } from './slack.ts';

const EVENT = 'workledger';
const posted = z.object({ ts: z.string() });
const listed = z.object({
  messages: z.array(
    z.object({
      ts: z.string(),
      user: z.string().nullish(),
      bot_id: z.string().nullish(),
      metadata: z
        .object({ event_type: z.string().nullish(), event_payload: z.record(z.string(), z.unknown()).nullish() })
        .nullish()
        .catch(null),
    }),
  ),
  response_metadata: z.object({ next_cursor: z.string().nullish() }).nullish(),
});
const nothing = z.unknown();
const MOST_PAGES = 10;
/** Of a button: https://docs.slack.dev/reference/block-kit/block-elements/button-element */
const LABEL = 75;
const MOST_BUTTONS = 25;

/** Where a message goes: a thread of a channel, or the channel itself where a command has no message of its own. */
function placeOf(place: string): { readonly channel: string; readonly thread: string | null } {
  const [channel = '', of = ''] = place.split('/');
  return { channel, thread: /^\d+\.\d+$/.test(of) ? of : null };
}

/** One message for each thing that is told, in the thread that the task came from. It is found again by its metadata, where we wrote it. */
export const tell = replyComponent({
  of: ({ environment }) => environment.slack,
  tell: async (slack, request, message, call) => {
    const told = await write(slack, request, message, call);
    await react(slack, request, call.signal);
    return { ...told, state: null };
  },
});

async function write(slack: Slack, request: ReplyRequest, message: Message, { signal }: Call) {
  const { channel, thread } = placeOf(request.place);
  const { taskId, about, known } = request;
  const text = textOf(request, message, (await slack.self(signal)).user);
  const metadata = { event_type: EVENT, event_payload: { task: taskId, about } };
  const content = { channel, text, blocks: blocksOf(request, message, text), metadata };
  const make = async (): Promise<string> => {
    const body = { ...content, ...(thread !== null && { thread_ts: thread }), unfurl_links: false };
    return (await slack.post('chat.postMessage', body, posted, { signal, idempotent: false })).ts;
  };
  const { found: ts, isNew } =
    known === null ? await findOrMake(() => find(slack, request, signal), make) : { found: known, isNew: false };
  if (isNew) return { outcome: 'written' as const, id: ts };
  try {
    await slack.post('chat.update', { ...content, ts }, nothing, { signal, idempotent: true });
    return { outcome: 'updated' as const, id: ts };
  } catch (error) {
    // Somebody removed it.
    if (error instanceof Refused && error.code === 'message_not_found') return { outcome: 'gone' as const, id: ts };
    throw error;
  }
}

async function find(slack: Slack, { place, taskId, about }: ReplyRequest, signal: AbortSignal): Promise<string | null> {
  const { channel, thread } = placeOf(place);
  const { user, bot } = await slack.self(signal);
  const method = thread === null ? 'conversations.history' : 'conversations.replies';
  let cursor = '';
  for (let page = 0; page < MOST_PAGES; page++) {
    const query = {
      ...{ channel, limit: '200', include_all_metadata: 'true' },
      ...(thread !== null && { ts: thread }),
      ...(cursor !== '' && { cursor }),
    };
    const { messages, response_metadata } = await slack.get(method, query, listed, signal);
    const ours = messages.find(
      ({ metadata, ...by }) =>
        (by.user === user || (bot !== null && by.bot_id === bot)) &&
        metadata?.event_type === EVENT &&
        metadata.event_payload?.['task'] === taskId &&
        metadata.event_payload['about'] === about,
    );
    if (ours !== undefined) return ours.ts;
    cursor = response_metadata?.next_cursor ?? '';
    if (cursor === '') return null;
  }
  // A channel's newest come first: what was told a while ago is among them.
  if (thread === null) return null;
  throw new Refused('too_long', `the thread is too long to look for what was told there before (${place})`);
}

/** Words of others call nobody. https://docs.slack.dev/messaging/formatting-message-text */
const plain = (text: string): string =>
  text.toWellFormed().replaceAll('\0', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const quoted = (text: string): string => plain(text).replaceAll(/^/gm, '> ');
/** Of 40,000 characters that a message may have; a section has 3,000. */
const MOST = 2_900;

function textOf({ to }: ReplyRequest, message: Message, self: string): string {
  const { title, text, words, link, choices, isOpen } = message;
  const how = howToAnswer({ ...message, choices: choices.map(plain) }, `<@${self}>`);
  const lines = [
    ...(title === null ? [] : [`*${plain(title).replaceAll('*', '∗').slice(0, 300)}*`]),
    `${to === null ? '' : `<@${to.split('/').at(-1)}> `}${plain(text)}`,
    ...(words === null ? [] : [quoted(words).slice(0, 1_500)]),
    // A mention in code would be none.
    ...(isOpen ? [how.replaceAll('`', '')] : []),
    ...(link === null ? [] : [`<${link}|The task>`]),
  ];
  return lines.join('\n').slice(0, MOST);
}

function blocksOf({ taskId, questionId }: ReplyRequest, { choices, isApproval }: Message, text: string): object[] {
  const section = { type: 'section', text: { type: 'mrkdwn', text } };
  // What an approval needs words for is written, and not pressed; that the work is refused needs none.
  const pressed = choices
    .map((choice, index) => ({ choice, index }))
    .filter(({ choice }) => !isApproval || choice !== 'send-back');
  if (questionId === null || pressed.length === 0) return [section];
  const elements = pressed.slice(0, MOST_BUTTONS).map(({ choice, index }) => ({
    ...{ type: 'button', action_id: `workledger:answer:${index}`, value: `${taskId}/${questionId}/${choice}` },
    text: { type: 'plain_text', text: choice.slice(0, LABEL) },
    ...(isApproval && { style: choice === 'approve' ? 'primary' : 'danger' }),
  }));
  return [section, { type: 'actions', elements }];
}

/** The emoji of this stage, and no other stage's, on the message that the work was asked for with. */
async function react(slack: Slack, { place, stage }: ReplyRequest, signal: AbortSignal): Promise<void> {
  const { channel, thread: timestamp } = placeOf(place);
  if (stage === null || timestamp === null) return;
  const change = async (method: string, name: string, isDone: string): Promise<void> => {
    try {
      await slack.post(method, { channel, timestamp, name }, nothing, { signal, idempotent: true });
    } catch (error) {
      if (!(error instanceof Refused) || (error.code !== isDone && error.code !== 'message_not_found')) throw error;
    }
  };
  const wanted = slack.reactions[stage];
  const others = new Set(STAGES.flatMap((each) => slack.reactions[each] ?? []).filter((name) => name !== wanted));
  for (const name of others) await change('reactions.remove', name, 'no_reaction');
  if (wanted !== undefined) await change('reactions.add', wanted, 'already_reacted');
}
