import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Call } from '../run-component.ts';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import { Refused } from '../replies/refused.ts';
import { howToAnswer, replyComponent, type Message, type ReplyRequest } from '../replies/reply.ts';
import type { Linear } from './linear.ts';
import { moveIssue } from './move.ts';

/** One comment for each thing that is told, by an id that is ours; and the issue's state. */
export const tell = replyComponent({
  of: ({ environment }) => environment.linear,
  tell: async (linear, request, message, call) => {
    const place = await placeOf(linear, request, call.signal);
    if (place === null) return { outcome: 'nowhere', id: null, state: request.state };
    const at = { ...request, place };
    const told = await write(linear, at, message, call);
    return { ...told, ...(request.attachedTo && { id: place }), state: await moveIssue(linear, at, call) };
  },
});

const attachments = z.object({
  attachmentsForURL: z.object({ nodes: z.array(z.object({ issue: z.object({ id: z.string() }) })) }),
});
const ATTACHED = 'query($url: String!) { attachmentsForURL(url: $url, first: 1) { nodes { issue { id } } } }';

/** The issue. One that was looked up is remembered as what was told there: the comment's own id is made anew. Null: none is attached. */
async function placeOf(
  linear: Linear,
  { place, attachedTo, known }: ReplyRequest,
  signal: AbortSignal,
): Promise<string | null> {
  if (attachedTo === undefined) return place;
  if (known !== null) return known;
  for (const url of attachedTo) {
    const found = await linear.ask(ATTACHED, { url }, attachments, { signal, idempotent: true });
    const [first] = found.attachmentsForURL.nodes;
    if (first !== undefined) return first.issue.id;
  }
  return null;
}

const found = z.object({ comment: z.object({ id: z.string(), body: z.string() }) });
const FIND = 'query($id: String!) { comment(id: $id) { id body } }';
const made = z.object({ commentCreate: z.object({ success: z.literal(true) }) });
const MAKE = 'mutation($input: CommentCreateInput!) { commentCreate(input: $input) { success comment { id } } }';
const changed = z.object({ commentUpdate: z.object({ success: z.literal(true) }) });
const CHANGE =
  'mutation($id: String!, $input: CommentUpdateInput!) { commentUpdate(id: $id, input: $input) { success comment { id } } }';

async function write(linear: Linear, request: ReplyRequest, message: Message, { signal }: Call) {
  const id = commentIdOf(request);
  const body = bodyOf(message);
  const looking = { signal, idempotent: true };
  const find = async (): Promise<{ body: string } | null> => {
    try {
      return (await linear.ask(FIND, { id }, found, looking)).comment;
    } catch (error) {
      if (error instanceof Refused && error.code === 'not-found') return null;
      throw error;
    }
  };
  const make = async (): Promise<{ body: string }> => {
    const issueId = await idOf(linear, request.place, signal);
    await linear.ask(MAKE, { input: { id, issueId, body } }, made, { signal, idempotent: false });
    return { body };
  };
  const { found: there, isNew } =
    request.known === null ? await findOrMake(find, make) : { found: await find(), isNew: false };
  // Somebody removed what was told before.
  if (there === null) return { outcome: 'gone' as const, id };
  if (isNew) return { outcome: 'written' as const, id };
  if (there.body !== body) await linear.ask(CHANGE, { id, input: { body } }, changed, looking);
  return { outcome: 'updated' as const, id };
}

const ofIssue = z.object({ issue: z.object({ id: z.string() }) });

/** Its id, where people's name of it is known: `ENG-7`. */
async function idOf(linear: Linear, place: string, signal: AbortSignal): Promise<string> {
  const query = 'query($id: String!) { issue(id: $id) { id } }';
  return (await linear.ask(query, { id: place }, ofIssue, { signal, idempotent: true })).issue.id;
}

/** The same for the same thing, always, and of the form that Linear demands: UUID of version 4. */
function commentIdOf({ taskId, about }: Pick<ReplyRequest, 'taskId' | 'about'>): string {
  const hex = createHash('sha256').update(`workledger comment ${taskId} ${about}`).digest('hex');
  const variant = '89ab'.charAt(parseInt(hex.charAt(16), 16) % 4);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Words of others, which call nobody and mark up nothing. */
const plain = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll('\0', '')
    .replaceAll(/@(?=[A-Za-z\d])/g, '@\u200b');
const quoted = (text: string): string => plain(text).replaceAll(/^/gm, '> ');

function bodyOf(message: Message): string {
  const { title, text, words, link, isOpen, choices } = message;
  return [
    ...(title === null ? [] : [`**Workledger**: ${plain(title).replaceAll(/\s+/g, ' ')}`]),
    plain(text),
    ...(words === null ? [] : [quoted(words)]),
    ...(isOpen ? [howToAnswer({ ...message, choices: choices.map(plain) }, '@workledger')] : []),
    ...(link === null ? [] : [`[The task](${link})`]),
  ].join('\n\n');
}
