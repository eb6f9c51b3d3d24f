import type { Handler } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData, CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { beatAgent } from './beat-agent.ts';
import { cancelTask } from './cancel-task.ts';
import { changeDependencies } from './change-dependencies.ts';
import { checkCoordinator } from './check-coordinator.ts';
import { claimNext } from './claim-next.ts';
import { claimTask } from './claim-task.ts';
import { completeParent } from './complete-parent.ts';
import { createTaskFromDelivery } from './create-task-from-delivery.ts';
import { createTask } from './create-task.ts';
import { expandTask } from './expand-task.ts';
import { expireClaim } from './expire-claim.ts';
import { renewLease } from './renew-lease.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type CommandHandler<Type extends CommandType> = (
  target: string,
  data: CommandData<Type>,
  context: StepContext,
) => Promise<CommandAnswer>;

export type Registry = { readonly [Type in CommandType]: CommandHandler<Type> };

/** Who handles which command: an aggregate alone, or a process of several streams (a file of its own). */
export function createRegistry(room: Room): Registry {
  const { tasks, agents, keys, generations, evolutions, validations, deliveries, heartbeats } = room;
  const beatOf = (claimId: string, { actor }: StepContext) =>
    heartbeats.beat(`claim:${claimId}`, ...(actor.startsWith('agent:') ? [actor] : []));

  return {
    'task.create': (id, data, context) => createTask(room, id, data, context),
    'task.create-from-delivery': (id, data, context) => createTaskFromDelivery(room, id, data, context),
    'task.change': simply(tasks, 'task.change'),
    'task.add-dependency': (id, data, context) => changeDependencies(room, 'task.add-dependency', id, data, context),
    'task.remove-dependency': (id, data, context) =>
      changeDependencies(room, 'task.remove-dependency', id, data, context),
    'task.expand': (id, data, context) => expandTask(room, id, data, context),
    'task.claim': (id, data, context) => claimTask(room, id, data, context),
    'task.renew': (id, { claimId }, context) => renewLease(room, id, claimId, context),
    'task.report-progress': async (id, data, context) => {
      const answer = await tasks.handle(id, { type: 'task.report-progress', data }, context);
      await beatOf(data.claimId, context);
      return answer;
    },
    'task.submit': async (id, data, context) => {
      const answer = await tasks.handle(id, { type: 'task.submit', data }, context);
      await beatOf(data.claimId, context);
      return answer;
    },
    'task.send-back': simply(tasks, 'task.send-back'),
    'task.release': simply(tasks, 'task.release'),
    'task.expire-claim': (id, { claimId }, context) => expireClaim(room, id, claimId, context),
    'task.complete': simply(tasks, 'task.complete'),
    'task.complete-parent': (id, _, context) => completeParent(room, id, context),
    'task.fail': simply(tasks, 'task.fail'),
    'task.cancel': (id, data, context) => cancelTask(room, id, data, context),
    'task.retry': simply(tasks, 'task.retry'),

    'agent.register': async (id, data, context) => {
      await checkCoordinator(room, id, data, context);
      // First the beat: the monitor watches whom it has heard of.
      await heartbeats.beat(`agent:${id}`);
      return agents.handle(id, { type: 'agent.register', data }, context);
    },
    'agent.beat': (id, _, context) => beatAgent(room, id, context),
    'agent.claim-next': (id, _, context) => claimNext(room, id, context),
    'agent.change': async (id, data, context) => {
      await checkCoordinator(room, id, data, context);
      return agents.handle(id, { type: 'agent.change', data }, context);
    },
    'agent.reserve': simply(agents, 'agent.reserve'),
    'agent.release': simply(agents, 'agent.release'),
    'agent.disconnect': simply(agents, 'agent.disconnect'),
    'agent.report-error': simply(agents, 'agent.report-error'),
    'agent.clear-error': simply(agents, 'agent.clear-error'),
    'agent.deactivate': simply(agents, 'agent.deactivate'),
    'agent.activate': simply(agents, 'agent.activate'),
    'agent.deregister': simply(agents, 'agent.deregister'),

    'key.create': simply(keys, 'key.create'),
    'key.revoke': simply(keys, 'key.revoke'),

    'generation.request': simply(generations, 'generation.request'),
    'generation.start-attempt': simply(generations, 'generation.start-attempt'),
    'generation.fail-attempt': simply(generations, 'generation.fail-attempt'),
    'generation.succeed': simply(generations, 'generation.succeed'),
    'generation.cancel': simply(generations, 'generation.cancel'),
    'evolution.start': simply(evolutions, 'evolution.start'),
    'evolution.record-candidate': simply(evolutions, 'evolution.record-candidate'),
    'evolution.fail-candidate': simply(evolutions, 'evolution.fail-candidate'),
    'evolution.fail': simply(evolutions, 'evolution.fail'),
    'evolution.cancel': simply(evolutions, 'evolution.cancel'),
    'validation.request': simply(validations, 'validation.request'),
    'validation.pass': simply(validations, 'validation.pass'),
    'validation.fail': simply(validations, 'validation.fail'),
    'validation.cancel': simply(validations, 'validation.cancel'),

    'delivery.receive': simply(deliveries, 'delivery.receive'),
  };
}

/** A command that concerns one aggregate only. */
const simply =
  <State, Data extends Record<string, unknown>, Type extends keyof Data & CommandType>(
    handler: Handler<State, Data>,
    type: Type,
  ) =>
  (id: string, data: Data[Type], context: StepContext): Promise<CommandAnswer> =>
    handler.handle(id, { type, data }, context);
