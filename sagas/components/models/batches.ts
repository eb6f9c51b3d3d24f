import type pg from 'pg';
import { z } from 'zod';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import type { AnswerKey, KeptAnswer, Usage } from './answers.ts';
import { saidIn, type ChatRequest } from './providers.ts';

/** Several small requests that are asked as one. What is in it never changes: after a kill, the same is asked again under the same name. */
export type Batch = {
  readonly id: string;
  readonly members: readonly { readonly key: AnswerKey; readonly content: string }[];
  readonly request: ChatRequest;
};

/** Batches, each kept before it is asked. */
export type BatchStore = {
  /** The one that a request was put into; null: into none. */
  find(key: AnswerKey): Promise<Batch | null>;
  keep(batch: Batch): Promise<void>;
};

export const modelBatchesTable: Migration = {
  name: '0111-model-batches',
  up: (knex) =>
    knex.raw(`
      create table sagas.model_batches (
        id uuid primary key,
        batch json not null,
        made_at timestamptz not null default clock_timestamp()
      );
      create table sagas.model_batch_members (
        scope text not null,
        digest text not null,
        number integer not null,
        batch_id uuid not null references sagas.model_batches on delete cascade,
        primary key (scope, digest, number)
      );
    `),
};

/** Nobody asks for what is older: its answers are kept no longer either. */
const KEPT_DAYS = 30;

export const createBatchStore = (pool: pg.Pool): BatchStore => ({
  find: async ({ scope, digest, number }) => {
    const { rows } = await pool.query<{ batch: Batch }>(
      `select batch from sagas.model_batches
        where id = (select batch_id from sagas.model_batch_members where scope = $1 and digest = $2 and number = $3)`,
      [scope, digest, number],
    );
    return rows[0]?.batch ?? null;
  },
  keep: async (batch) => {
    const keys = batch.members.map(({ key }) => key);
    await pool.query(
      `with made as (insert into sagas.model_batches (id, batch) values ($1, $2) returning id),
            old as (delete from sagas.model_batches where made_at < clock_timestamp() - $3 * interval '1 day')
       insert into sagas.model_batch_members (scope, digest, number, batch_id)
       select one.scope, one.digest, one.number, made.id
         from made, unnest($4::text[], $5::text[], $6::int[]) as one (scope, digest, number)
       on conflict do nothing`,
      [
        ...[batch.id, JSON.stringify(batch), KEPT_DAYS],
        ...[keys.map(({ scope }) => scope), keys.map(({ digest }) => digest), keys.map(({ number }) => number)],
      ],
    );
  },
});

/** Characters of a request that is small. */
const SMALL = 8_000;

const simple = z.object({
  temperature: z.number().optional(),
  messages: z.tuple([
    z.object({ role: z.literal('system'), content: z.string() }),
    z.object({ role: z.literal('user'), content: z.string().max(SMALL) }),
  ]),
});

const TOGETHER = `

Several requests follow, each under a line "=== REQUEST <number>". They have nothing to do with each other. Answer each by itself as said above, each answer under a line of its own:
=== ANSWER <number>`;

export type Batching = {
  /** Requests in one. */
  readonly most: number;
  /** Milliseconds that the first one waits for others. */
  readonly waitMilliseconds: number;
};

/** What a batch has for one of its members. */
export type Part = {
  /** Null: it is to be asked alone. */
  readonly answer: KeptAnswer | null;
  /** Its share of a batch that was paid and has nothing that can be used for anybody; null: there is none. */
  readonly lost: Usage | null;
};
const ALONE: Part = { answer: null, lost: null };

type Waiting = {
  readonly key: AnswerKey;
  readonly content: string;
  give(part: Part): void;
  fail(error: unknown): void;
};

/**
 * Puts small requests of one kind that come at the same time into one.
 * @param askWhole asks a batch, paid once by its name
 */
export function createBatches(store: BatchStore, askWhole: (batch: Batch, model: string) => Promise<KeptAnswer>) {
  const windows = new Map<string, Waiting[]>();

  async function close(model: string, members: readonly Waiting[], { system, temperature }: Kind): Promise<void> {
    try {
      if (members.length === 1) return members[0]?.give(ALONE);
      const content = members.map((one, index) => `=== REQUEST ${index + 1}\n${one.content}`).join('\n\n');
      const messages = [
        { role: 'system', content: `${system}${TOGETHER}` },
        { role: 'user', content },
      ];
      const request = { ...(temperature !== undefined && { temperature }), messages };
      const kept = members.map(({ key, content: said }) => ({ key, content: said }));
      const batch: Batch = { id: newId(), members: kept, request };
      await store.keep(batch);
      const parts = partsOf(batch, await askWhole(batch, model));
      for (const [index, one] of members.entries()) one.give(parts[index] ?? ALONE);
    } catch (error) {
      for (const one of members) one.fail(error);
    }
  }

  return {
    /** @throws what `askWhole` throws */
    join: async (
      model: string,
      { most, waitMilliseconds }: Batching,
      asked: { readonly key: AnswerKey; readonly request: ChatRequest; readonly together: string },
    ): Promise<Part> => {
      const read = simple.safeParse(asked.request);
      if (!read.success) return ALONE;
      const before = await store.find(asked.key);
      if (before !== null) {
        const at = before.members.findIndex(({ key }) => nameOf(key) === nameOf(asked.key));
        return partsOf(before, await askWhole(before, model))[at] ?? ALONE;
      }
      const { messages, temperature } = read.data;
      const kind = { system: messages[0].content, temperature };
      const name = JSON.stringify([model, asked.together, kind]);
      return new Promise<Part>((give, fail) => {
        const open = windows.get(name);
        const members = open ?? [];
        members.push({ key: asked.key, content: messages[1].content, give, fail });
        const end = (): void => {
          if (windows.get(name) !== members) return;
          windows.delete(name);
          void close(model, members, kind);
        };
        if (open === undefined) {
          windows.set(name, members);
          setTimeout(end, waitMilliseconds).unref();
        }
        if (members.length >= most) end();
      });
    },
  };
}

type Kind = { readonly system: string; readonly temperature: number | undefined };

const nameOf = ({ scope, digest, number }: AnswerKey): string => JSON.stringify([scope, digest, number]);

/**
 * The answer of each member, with its share of tokens and price; who has none, or nobody knows whose it is, is asked alone. All that was paid
 * is some member's: where nothing can be used, each has an even share of that.
 */
export function partsOf({ members }: Pick<Batch, 'members'>, whole: KeptAnswer): Part[] {
  const { text: said, isCut } = saidIn(whole);
  const texts = new Map<number, string>();
  const marks = [...said.matchAll(/^=== ANSWER (\d{1,3})[ \t]*\r?\n/gm)];
  for (const [index, mark] of marks.entries()) {
    const number = Number(mark[1]);
    const next = marks[index + 1];
    // What is cut off, or said twice, is no answer.
    if (texts.has(number) || (isCut && next === undefined)) texts.set(number, '');
    else texts.set(number, said.slice(mark.index + mark[0].length, next?.index).trim());
  }
  const parts = members.map(({ content }, index) => ({ content, text: texts.get(index + 1) ?? '' }));
  const good = parts.filter(({ text }) => text !== '');
  const asked = good.reduce((sum, { content }) => sum + content.length, 0);
  const answered = good.reduce((sum, { text }) => sum + text.length, 0);
  if (good.length === 0) return parts.map(() => ({ answer: null, lost: shareOf(whole, 1 / parts.length) }));
  return parts.map(({ content, text }) => {
    if (text === '') return ALONE;
    const message = { role: 'assistant', content: text };
    const said = JSON.stringify({ choices: [{ index: 0, finish_reason: 'stop', message }] });
    const usage = shareOf(whole, content.length / asked, text.length / answered);
    return { answer: { text: said, ...usage }, lost: null };
  });
}

const shareOf = ({ inputTokens, outputTokens, costUsd }: Usage, input: number, output = input): Usage => ({
  inputTokens: Math.round(inputTokens * input),
  outputTokens: Math.round(outputTokens * output),
  costUsd: (costUsd * (input + output)) / 2,
});
