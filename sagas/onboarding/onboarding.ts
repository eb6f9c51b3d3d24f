import type { UserEvent } from '@workledger/shared/contexts/agent/user/events.ts';
import { derivedId, streamId } from '@workledger/shared/contexts/stream.ts';
import { inputOf, type Saga } from '../engine/saga.ts';
import { done, type PipelineState, type Step, waiting } from '../pipeline/definition.ts';
import { definePipeline } from '../pipeline/pipeline.ts';

type Requested = Extract<UserEvent, { type: 'UserOnboardingRequested' }>;
/** Whom it is about, and what they are to have; without words of theirs, which stay in their own stream. */
export type Invited = Pick<Requested['data'], 'userId' | 'role' | 'teams'>;
/** Null: nothing was asked for yet. */
type Facts = Invited | null;

/** One step of an onboarding, and how it is undone. */
type OnboardingStep = Omit<Step<Facts>, 'run' | 'compensate'> & Record<'run' | 'compensate', Act>;
type Act = (invited: Invited, on: Parameters<Step<Facts>['run']>[1]) => unknown;

/** Each answers null until it is done. */
const onboardingSteps: readonly OnboardingStep[] = [
  {
    name: 'create',
    run: ({ userId }, on) => on.command('admit', 'user.admit', userId, {}),
    compensate: ({ userId }, on) => on.command('withdraw', 'user.withdraw', userId, { reason: 'onboarding failed' }),
  },
  {
    name: 'permissions',
    run: ({ userId, role, teams }, on) => on.command('grant', 'user.grant', userId, { role, teams }),
    compensate: ({ userId }, on) => on.command('take-back', 'user.take-back', userId, {}),
  },
  {
    name: 'welcome',
    run: ({ userId }, on) =>
      on.command('send', 'message.send', derivedId('message', 'welcome', userId), welcome(userId)),
    // What was sent is in the inbox of a user who is suspended by then: nobody reads it.
    compensate: () => ({}),
  },
];

const welcome = (userId: string) => ({
  to: { kind: 'participant', participant: `user:${userId}` } as const,
  subject: 'Welcome to Workledger',
  body: 'Your inbox is GET /api/v1/inbox, and what you are asked GET /api/v1/questions?mine=true. GET /api/v1/me tells what you may do.',
});

const act =
  (action: Act): Step<Facts>['run'] =>
  (invited, on) =>
    invited === null || action(invited, on) === null ? waiting : done();

/** From an invitation to a user who can begin: one run a user, under the user's id. */
export const onboarding: Saga<PipelineState<Facts>> = definePipeline<Facts>({
  name: 'onboarding',
  topics: ['agent'],
  correlate: ({ type, stream }) => (type === 'UserOnboardingRequested' ? streamId(stream) : null),
  facts: null,
  absorb: (facts, event) => {
    if (event.type !== 'SagaInputReceived') return facts;
    const { userId, role, teams } = inputOf<Requested>(event).data;
    return { userId, role, teams };
  },
  ready: (facts) => facts !== null,
  stopped: () => null,
  steps: onboardingSteps.map(({ run, compensate, ...step }) => ({
    ...step,
    run: act(run),
    compensate: act(compensate),
  })),
  conclude: () => done(),
});
