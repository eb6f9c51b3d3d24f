import { configurationId } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { isDeepStrictEqual } from 'node:util';
import type { ResultOf } from '../components/catalogue.ts';
import { because } from '../engine/component.ts';
import type { Saga } from '../engine/saga.ts';
import { done, doubling, failed, type PipelineState, type Step, waiting } from '../pipeline/definition.ts';
import { definePipeline } from '../pipeline/pipeline.ts';

/** Whether a delivery came that tells of it. */
type Facts = boolean;

type Seen = ResultOf<'github.installed'>;

const MOST_LOOKS = 10;

/**
 * Takes what is seen, and looks again until the same is seen once more: of several runs at once one takes what it saw last, and has looked
 * after that. So what is taken last was seen after all that was taken before it, whatever crossed.
 */
const take: Step<Facts> = {
  name: 'take',
  retry: { attempts: 5, delaySeconds: doubling(4, 120) },
  timeoutSeconds: 300,
  run: (_, on) => {
    let before: Seen | null = null;
    for (let number = 1; number <= MOST_LOOKS; number++) {
      const seen: Seen | null = on.call(`look-${number}`, 'github.installed', {});
      if (seen === null) return waiting;
      if (before !== null && isDeepStrictEqual(before, seen)) return done({ looks: number });
      const target = configurationId(seen.environment);
      if (on.command(`take-${number}`, 'configuration.take-installed', target, seen) === null) return waiting;
      before = seen;
    }
    return failed(because('take', `what the app is installed for has changed between ${MOST_LOOKS} looks`), true);
  },
};

/** From a delivery that tells that what the app is installed for may be something else, to repositories that are registered: one run a delivery. */
export const installation: Saga<PipelineState<Facts>> = definePipeline<Facts>({
  name: 'installation',
  topics: ['sync'],
  correlate,
  facts: false,
  absorb: (isTold, event) => isTold || event.type === 'SagaInputReceived',
  ready: (isTold) => isTold,
  stopped: () => null,
  steps: [take],
  conclude: () => done(),
});

function correlate({ type, data, stream }: RecordedEvent): string | null {
  if (type !== 'DeliveryIgnored') return null;
  return (data as { readonly installation?: true }).installation === true ? streamId(stream) : null;
}
