import { streamId, streamType } from '@workledger/shared/contexts/stream.ts';
import { artefact } from '@workledger/shared/contexts/values.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import { artefactOwnerModel, type ArtefactOwnerRow } from '@workledger/shared/read-models/artefact-owners.ts';
import { defineProjection } from '../engine/projection.ts';

const v1: Migration = {
  name: '0016-artefact-owners-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.artefact_owners_v1 (
        id text primary key,
        digest text not null,
        stream_type text not null,
        owner_id text not null
      );

      create index artefact_owners_v1_digest on read_models.artefact_owners_v1 (digest);
      create view read_models.artefact_owners as select * from read_models.artefact_owners_v1;
    `);
  },
};

/** Digests of all artefacts that a value names, each once. */
function digestsIn(value: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (typeof value !== 'object' || value === null) return found;
  const named = 'digest' in value ? artefact.safeParse(value) : null;
  if (named?.success === true) found.add(named.data.digest);
  else for (const inner of Object.values(value)) digestsIn(inner, found);
  return found;
}

/** One row for each artefact that a stream names: who may read the artefact follows from the stream's task. */
export const artefactOwners = defineProjection<ArtefactOwnerRow, RecordedEvent>(artefactOwnerModel, {
  migrations: [v1],
  key: ({ stream, data }) => [...digestsIn(data)].map((digest) => `${stream}/${digest}`),
  fold: (_, { stream }, id) => ({
    id,
    digest: id.slice(stream.length + 1),
    streamType: streamType(stream),
    ownerId: streamId(stream),
  }),
});
