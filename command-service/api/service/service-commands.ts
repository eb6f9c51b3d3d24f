import type { CommandType } from '@workledger/shared/commands/catalogue.ts';

/** What sagas send, and nothing else: they decide about work, never about people, keys or deliveries. */
const ofSagas = [
  'task.create-from-delivery',
  'task.cancel',
  'task.complete-parent',
  'task.expire-claim',
  'task.submit',
  'task.send-back',
  'task.complete',
  'task.fail',
  'agent.release',
  'generation.request',
  'generation.start-attempt',
  'generation.fail-attempt',
  'generation.succeed',
  'generation.cancel',
  'evolution.start',
  'evolution.record-candidate',
  'evolution.fail-candidate',
  'evolution.cancel',
  'validation.request',
  'validation.pass',
  'validation.fail',
  'validation.cancel',
] as const satisfies readonly CommandType[];

/** What a process sends for an agent that it runs. */
const ofAgents = [
  'agent.register',
  'agent.beat',
  'agent.claim-next',
  'task.renew',
] as const satisfies readonly CommandType[];

/** Every command that a key of role `service` may send. */
export const serviceCommands = [...ofSagas, ...ofAgents] as const;
export type ServiceCommand = (typeof serviceCommands)[number];

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** In whose name it may speak: a saga's stream, or an agent. Never a key's owner, never the system. */
export const serviceActor = new RegExp(`^(?:saga:saga(?:-[a-z0-9]+)*-${UUID}|agent:${UUID})$`);

/** May this actor, of the form above, send this command? */
export const maySend = (actor: string, type: ServiceCommand): boolean =>
  (actor.startsWith('saga:') ? (ofSagas as readonly string[]) : (ofAgents as readonly string[])).includes(type);
