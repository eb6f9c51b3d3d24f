import type { DocumentEvent } from '@workledger/shared/contexts/sync/document/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { changeOf, endsOf } from '../reading/document.ts';
import { anyId } from '../reading/query-route.ts';
import { isWithin } from '../reading/scope.ts';
import type { Feed } from './feed.ts';

/** `document:<id>`: every version of a document, as a patch on the one before. */
export const documentFeed = (log: EventLog): Feed => ({
  name: 'document',
  argument: { noun: 'id', schema: anyId },
  streams: ['document'],
  open: async (id, { repositories }) => {
    const ends = await endsOf(log, id);
    if (ends === null || !isWithin(repositories, ends)) throw new Problem('not-found', `there is no document ${id}`);
    return [id];
  },
  tell: (recorded) => {
    const event = upcast(recorded) as RecordedEvent & DocumentEvent;
    const id = streamId(event.stream);
    return [{ feed: 'document', key: id, event: 'change', data: { document: id, ...changeOf(event) } }];
  },
});
