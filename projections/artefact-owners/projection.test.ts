import { artefactOf, failureOf } from '@workledger/infra/testing/events/made-up.ts';
import { createRandom } from '@workledger/infra/testing/events/random.ts';
import { history } from '@workledger/infra/testing/events/history.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { artefactOwners } from './projection.ts';

it('has a row for each artefact that a stream names, however deep, and none for what only looks like one', () => {
  const id = newId();
  const stream = streamName('task', id);
  const random = createRandom(1);
  const [report, log] = [artefactOf(random), artefactOf(random)];
  const events = [
    { type: 'TaskSentBack', data: { claimId: newId(), reason: 'red', report } },
    { type: 'TaskFailed', data: { claimId: newId(), failure: { ...failureOf(random), log } } },
    { type: 'TaskSentBack', data: { claimId: newId(), reason: 'red', report } },
    { type: 'TaskDetailsChanged', data: { metadata: { digest: log.digest } } },
  ];
  const rows = foldAll(artefactOwners, history(stream, events));
  expect([...rows.values()]).toEqual(
    [report, log].map(({ digest }) => ({ id: `${stream}/${digest}`, digest, streamType: 'task', ownerId: id })),
  );
});
