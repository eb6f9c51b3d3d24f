import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { AccessRefused } from '../../errors.ts';
import { Refused } from '../connection/failures.ts';
import type { ExpectedRevision } from '../../port.ts';

/** What the server said of one append. */
export type AppendAnswer =
  | { readonly kind: 'written'; readonly revision: number; readonly position: bigint | null }
  | { readonly kind: 'conflict'; readonly actual: ExpectedRevision };

const ACCESS_DENIED = 'event_store.client.AccessDenied';
const WRONG_EXPECTED_VERSION = 'event_store.client.WrongExpectedVersion';
/** Errors that say for certain that nothing was written; after any other the stream must be asked. */
const REFUSALS: Readonly<Record<string, string>> = {
  'event_store.client.StreamDeleted':
    'the stream was deleted, which nothing of ours does: restore the server from a backup',
  'event_store.client.MaximumAppendSizeExceeded': 'too many bytes: raise MaxAppendSize of the server to 1 MiB or more',
  'event_store.client.BadRequest': 'the server does not understand the request',
};

/** @throws Refused for what no retry can mend; Error for an answer that leaves open what happened */
export function readAnswer(response: BatchAppendResp, stream: string): AppendAnswer {
  const success = response.getSuccess();
  if (success !== undefined) {
    const position = success.getPosition();
    return {
      kind: 'written',
      revision: success.hasCurrentRevision() ? Number(success.getCurrentRevision()) : -1,
      position: position === undefined ? null : BigInt(position.getCommitPosition()),
    };
  }
  const error = response.getError();
  const details = error?.getDetails();
  const name = details?.getTypeName() ?? '';
  if (name === WRONG_EXPECTED_VERSION) {
    const conflict = details?.unpack(shared.WrongExpectedVersion.deserializeBinary, name);
    if (conflict) {
      const current = conflict.hasCurrentStreamRevision() ? Number(conflict.getCurrentStreamRevision()) : NaN;
      // The server may write its own "no stream" as the largest number that it has.
      return { kind: 'conflict', actual: Number.isSafeInteger(current) ? current : 'none' };
    }
  }
  if (name === ACCESS_DENIED)
    throw new AccessRefused(`append to ${stream}: access denied: give the connection string a user who may write`);
  const refusal = REFUSALS[name];
  const said = error?.getMessage() ?? '';
  if (refusal !== undefined) throw new Refused(`append to ${stream}: ${refusal}${said && ` (${said})`}`);
  throw new Error(`append to ${stream}: EventStoreDB answered ${name || 'nothing known'}${said && ` (${said})`}`);
}
