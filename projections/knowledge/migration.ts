import { languages } from '@workledger/shared/contexts/agent/knowledge/events.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** A configuration's name must be a constant: a generated column takes nothing that a setting could change. */
const vectorOf = (language: string): string => `
  setweight(to_tsvector('${language}', title), 'A')
  || setweight(to_tsvector('${language}', coalesce(category, '')), 'B')
  || setweight(to_tsvector('${language}', read_models.tags_as_text(tags)), 'B')
  || to_tsvector('${language}', content)`;

const v1: Migration = {
  name: '0072-knowledge-v1',
  up: async (knex) => {
    await knex.raw(`
      create extension if not exists pg_trgm;

      create function read_models.tags_as_text(tags text[]) returns text
        language sql immutable parallel safe as $$ select coalesce(array_to_string(tags, ' '), '') $$;

      create table read_models.knowledge_v1 (
        id text primary key,
        revision integer not null,
        version integer not null,
        title text not null,
        content text not null,
        category text,
        tags text[] not null,
        language text not null,
        author text not null,
        access text not null,
        team text,
        repository text,
        related text[] not null,
        archived boolean not null,
        reason text,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        digest text not null,
        search tsvector generated always as (case language
          ${languages.map((language) => `when '${language}' then ${vectorOf(language)}`).join('\n')}
        end) stored
      );
      create index knowledge_v1_search on read_models.knowledge_v1 using gin (search) with (fastupdate = off);
      create index knowledge_v1_created on read_models.knowledge_v1 (created_at, id);
      create index knowledge_v1_updated on read_models.knowledge_v1 (updated_at, id);
      create index knowledge_v1_author on read_models.knowledge_v1 (author);
      create index knowledge_v1_repository on read_models.knowledge_v1 (repository) where repository is not null;
      create index knowledge_v1_tags on read_models.knowledge_v1 using gin (tags);
      create index knowledge_v1_related on read_models.knowledge_v1 using gin (related);
      create view read_models.knowledge as select * from read_models.knowledge_v1;
    `);
  },
};

const versions: Migration = {
  name: '0073-knowledge-versions-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.knowledge_versions_v1 (
        id text primary key,
        entry_id text not null,
        version integer not null,
        title text not null,
        content text not null,
        category text,
        tags text[] not null,
        language text not null,
        editor text not null,
        written_at timestamptz not null
      );
      create index knowledge_versions_v1_entry on read_models.knowledge_versions_v1 (entry_id, version);
      create view read_models.knowledge_versions as select * from read_models.knowledge_versions_v1;
    `);
  },
};

/** By code points: a database whose locale is C takes no letter beyond ASCII for one. */
const NO_LETTERS = String.raw`[\u0001-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+`;

/**
 * What follows from the texts beside the rows: every word that was ever written (what a misspelling may mean), and which entries still
 * need an embedding. By triggers on the live table, in the transaction that writes the entry: so neither is ever behind.
 */
const derived: Migration = {
  name: '0074-knowledge-words-and-embeddings',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.knowledge_words (word text primary key);
      create index knowledge_words_similar on read_models.knowledge_words using gin (word gin_trgm_ops);

      create table read_models.knowledge_to_embed (
        entry_id text primary key,
        -- taken by a worker, or failed: not before
        due_at timestamptz not null default clock_timestamp(),
        attempts integer not null default 0
      );
      create index knowledge_to_embed_due on read_models.knowledge_to_embed (due_at);

      -- in the order in which they are committed: readers that keep them in memory read on from there
      create sequence read_models.knowledge_embeddings_number;
      create table read_models.knowledge_embeddings (
        entry_id text not null,
        model text not null,
        -- of the text that it was computed from
        digest text not null,
        number bigint not null,
        -- of length one, a byte a dimension, times scale
        vector bytea not null,
        scale real not null,
        primary key (entry_id, model)
      );
      create unique index knowledge_embeddings_in_order on read_models.knowledge_embeddings (model, number);

      create function read_models.words_of(title text, category text, tags text[], content text) returns setof text
        language sql immutable parallel safe as $$
          select word from regexp_split_to_table(
            lower(concat_ws(' ', title, category, read_models.tags_as_text(tags), content)), '${NO_LETTERS}'
          ) as word where length(word) between 4 and 40
        $$;

      create function read_models.knowledge_written() returns trigger language plpgsql as $$
      begin
        -- sorted, so that two writers never wait for each other crosswise
        insert into read_models.knowledge_words (word)
        select distinct part.word from written, read_models.words_of(title, category, tags, content) as part (word)
        where not exists (select from read_models.knowledge_words known where known.word = part.word)
        order by part.word
        on conflict do nothing;
        insert into read_models.knowledge_to_embed (entry_id) select id from written order by id
        on conflict (entry_id) do update set due_at = excluded.due_at, attempts = 0;
        return null;
      end $$;
      create function read_models.knowledge_rewritten() returns trigger language plpgsql as $$
      begin
        insert into read_models.knowledge_words (word)
        select distinct part.word from written join before using (id),
          read_models.words_of(written.title, written.category, written.tags, written.content) as part (word)
        where written.version <> before.version
          and not exists (select from read_models.knowledge_words known where known.word = part.word)
        order by part.word
        on conflict do nothing;
        insert into read_models.knowledge_to_embed (entry_id)
        select written.id from written join before using (id) where written.digest <> before.digest order by 1
        on conflict (entry_id) do update set due_at = excluded.due_at, attempts = 0;
        return null;
      end $$;
      create trigger knowledge_written after insert on read_models.knowledge_v1
        referencing new table as written for each statement execute function read_models.knowledge_written();
      create trigger knowledge_rewritten after update on read_models.knowledge_v1
        referencing new table as written old table as before for each statement execute function read_models.knowledge_rewritten();
    `);
  },
};

export const knowledgeMigrations: readonly Migration[] = [v1, versions, derived];
