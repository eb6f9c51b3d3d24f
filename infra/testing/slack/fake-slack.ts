import { startJsonServer, type Asked, type ServerAnswer } from './server.ts';

export type FakeMessage = {
  readonly channel: string;
  readonly ts: string;
  readonly thread_ts?: string;
  readonly user: string;
  readonly bot_id?: string;
  text: string;
  blocks: readonly { readonly type: string; readonly elements?: readonly { readonly value: string }[] }[];
  metadata?: { readonly event_type: string; readonly event_payload: Readonly<Record<string, unknown>> };
  readonly reactions: Set<string>;
};

const BOT = { user: 'UBOT', bot_id: 'BBOT' };
/** https://docs.slack.dev/reference/methods */
const READS = new Set(['auth.test', 'conversations.replies', 'conversations.history']);

const refused = (error: string, more: object = {}): ServerAnswer => ({ body: { ok: false, error, ...more } });
const fine = (more: object = {}): ServerAnswer => ({ body: { ok: true, ...more } });

/** Slack's Web API over HTTP, as far as Workledger asks it: what it refuses it says with status 200, and lists come in pages. */
export async function startFakeSlack({ token = 'xoxb-fake-token-of-the-app' } = {}) {
  const channels = new Set<string>();
  const messages: FakeMessage[] = [];
  const scopes = new Set(['chat:write', 'reactions:write', 'channels:history']);
  const settings = { mostPerPage: 200 };
  let newest = 1_700_000_000_000_000;

  const server = await startJsonServer(
    (method, { pathname, searchParams }, body) => {
      const name = pathname.replace(/^\/api\//, '');
      const data =
        method === 'GET'
          ? Object.fromEntries(searchParams)
          : // What only reads takes no JSON.
            READS.has(name)
            ? {}
            : (JSON.parse(body) as Record<string, unknown>);
      return { name, data };
    },
    (asked) => answerTo(asked),
  );

  const nextTs = (): string => `${Math.floor(++newest / 1_000_000)}.${String(newest % 1_000_000).padStart(6, '0')}`;
  const find = (channel: unknown, ts: unknown): FakeMessage | undefined =>
    messages.find((each) => each.channel === channel && each.ts === ts);

  function answerTo({ name, headers, data }: Asked): ServerAnswer {
    if (headers.authorization === undefined) return refused('not_authed');
    if (headers.authorization !== `Bearer ${token}`) return refused('invalid_auth');
    if (name === 'auth.test') return fine({ user_id: BOT.user, bot_id: BOT.bot_id, team_id: 'T1' });
    if (!READS.has(name) && !/^application\/json; charset=utf-8$/.test(headers['content-type'] ?? ''))
      return refused('invalid_arguments');
    const scope = name.startsWith('chat.')
      ? 'chat:write'
      : name.startsWith('reactions.')
        ? 'reactions:write'
        : 'channels:history';
    if (!scopes.has(scope)) return refused('missing_scope', { needed: scope, provided: [...scopes].join(',') });
    const channel = String(data['channel']);
    if (!channels.has(channel)) return refused('channel_not_found');
    switch (name) {
      case 'chat.postMessage':
        return post(channel, data);
      case 'chat.update':
        return update(find(channel, data['ts']), data);
      case 'conversations.replies':
      case 'conversations.history':
        return list(name, channel, data);
      case 'reactions.add':
      case 'reactions.remove':
        return react(name, find(channel, data['timestamp']), String(data['name']));
      default:
        return refused('unknown_method');
    }
  }

  function post(channel: string, data: Asked['data']): ServerAnswer {
    const thread = data['thread_ts'];
    if (thread !== undefined && find(channel, thread) === undefined) return refused('thread_not_found');
    const { text, blocks = [], metadata } = data as Partial<FakeMessage>;
    if (!text) return refused('no_text');
    const message = { channel, ts: nextTs(), text, blocks, ...BOT, reactions: new Set<string>() };
    messages.push({
      ...message,
      ...(metadata !== undefined && { metadata }),
      ...(typeof thread === 'string' && { thread_ts: thread }),
    });
    return fine({ channel, ts: message.ts });
  }

  function update(message: FakeMessage | undefined, data: Asked['data']): ServerAnswer {
    if (message === undefined) return refused('message_not_found');
    if (message.user !== BOT.user) return refused('cant_update_message');
    Object.assign(message, { text: data['text'], blocks: data['blocks'] ?? [], metadata: data['metadata'] });
    return fine({ channel: message.channel, ts: message.ts });
  }

  function list(name: string, channel: string, data: Asked['data']): ServerAnswer {
    const { ts, cursor, limit, include_all_metadata } = data;
    const inThread = name === 'conversations.replies';
    if (inThread && find(channel, ts) === undefined) return refused('thread_not_found');
    const all = messages.filter((each) =>
      inThread ? each.ts === ts || each.thread_ts === ts : each.channel === channel && each.thread_ts === undefined,
    );
    const sorted = inThread ? all : all.toReversed();
    const from = Number(cursor ?? 0);
    const to = from + Math.min(Number(limit ?? 100), settings.mostPerPage);
    const shown = sorted.slice(from, to).map(({ reactions: _, metadata, ...each }) => ({
      ...each,
      ...(include_all_metadata === 'true' && metadata !== undefined && { metadata }),
    }));
    const next_cursor = to < sorted.length ? String(to) : '';
    return fine({ messages: shown, has_more: next_cursor !== '', response_metadata: { next_cursor } });
  }

  function react(name: string, message: FakeMessage | undefined, emoji: string): ServerAnswer {
    if (message === undefined) return refused('message_not_found');
    const { reactions } = message;
    if (name === 'reactions.add') {
      if (reactions.has(emoji)) return refused('already_reacted');
      reactions.add(emoji);
      return fine();
    }
    return reactions.delete(emoji) ? fine() : refused('no_reaction');
  }

  return {
    ...server,
    url: `${server.url}/api`,
    ...{ token, channels, messages, scopes, settings },
    /** Somebody writes. @returns the message's ts */
    write: (channel: string, user: string, text: string, thread?: string): string => {
      channels.add(channel);
      const ts = nextTs();
      const message = { channel, ts, user, text, blocks: [], reactions: new Set<string>() };
      messages.push(thread === undefined ? message : { ...message, thread_ts: thread });
      return ts;
    },
    /** What the app wrote. */
    ours: (): FakeMessage[] => messages.filter(({ bot_id }) => bot_id === BOT.bot_id),
  };
}

export const rateLimited = (seconds: number): ServerAnswer => ({
  ...{ status: 429, body: { ok: false, error: 'ratelimited' }, headers: { 'Retry-After': String(seconds) } },
});
