import { createHttpCommands } from '@workledger/shared/commands/http/http-commands.ts';
import type { CommandAnswer, CommandContext, Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused, type RefusalCode } from '@workledger/shared/commands/refusal.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { claim, create, register } from '../../processes/testing.ts';
import type { Service } from './service.ts';

/** What a sender of commands is told: an answer, or what was thrown, as far as callers look at it. */
export type Outcome =
  | { readonly answer: CommandAnswer }
  | { readonly refused: string; readonly message: string; readonly facts: unknown }
  | { readonly failed: string };

export const outcomeOf = (sent: Promise<CommandAnswer>): Promise<Outcome> =>
  sent.then(
    (answer) => ({ answer }),
    (error: Error) =>
      error instanceof CommandRefused
        ? { refused: error.code, message: error.message, facts: error.facts }
        : { failed: error.message },
  );

/** Commands over HTTP to a service, under a new key of role `service`. */
export async function overHttp(service: Service): Promise<Commands> {
  return createHttpCommands({ urls: [service.client.url], key: (await service.key('service')).key });
}

export const asSaga = (more: Partial<CommandContext> = {}): CommandContext => ({
  actor: `saga:saga-code-evolution-${newId()}`,
  correlationId: newId(),
  ...more,
});

export const asAgent = (id: string, more: Partial<CommandContext> = {}): CommandContext => ({
  actor: `agent:${id}`,
  correlationId: newId(),
  ...more,
});

/** What senders of commands meet. Each is run with ids of its own; the last outcome is the one it is about. */
export type Scenario = {
  readonly name: string;
  readonly ends: 'answer' | RefusalCode;
  run(commands: Commands, service: Service): Promise<Outcome[]>;
};

const commit = 'a'.repeat(40);
const artefact = { digest: 'ab'.repeat(32), size: 7, mediaType: 'text/plain' };
const attempt = { attempt: 1, strategy: 'first' };
const wanted = () => ({
  taskId: newId(),
  runId: newId(),
  repository: 'sample',
  base: commit,
  prompt: artefact,
  strategies: ['first', 'second'],
});
const success = {
  ...attempt,
  commit,
  diffStat: { files: 1, insertions: 2, deletions: 3 },
  diff: artefact,
  output: artefact,
  costUsd: 0.25,
  durationMs: 5,
};

/** A failure of this many bytes. */
export const failure = (bytes: number) => ({
  step: 'work',
  reason: 'broke',
  command: null,
  exitCode: 1,
  lastLines: ['é'.repeat(bytes / 2)],
  log: null,
});

type Send = (type: string, target: string, data?: unknown, more?: Partial<CommandContext>) => Promise<Outcome>;
const sender =
  (commands: Commands, context: CommandContext): Send =>
  (type, target, data = {}, more = {}) =>
    outcomeOf(commands.send({ type, target, data }, { ...context, ...more }));

/** Sends one after the other. */
async function inTurn(...sends: readonly (() => Promise<Outcome>)[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const send of sends) outcomes.push(await send());
  return outcomes;
}

const bySaga = (
  name: string,
  ends: Scenario['ends'],
  sends: (send: Send, generation: string) => readonly (() => Promise<Outcome>)[],
): Scenario => ({ name, ends, run: (commands) => inTurn(...sends(sender(commands, asSaga()), newId())) });

const once = { commandId: newId() };

export const scenarios: readonly Scenario[] = [
  bySaga('a saga takes a generation from request to success', 'answer', (send, id) => [
    () => send('generation.request', id, wanted()),
    () => send('generation.start-attempt', id, attempt),
    () => send('generation.succeed', id, success),
  ]),
  bySaga('the same command again answers the same, although more has happened', 'answer', (send, id) => {
    const data = wanted();
    return [
      () => send('generation.request', id, data, once),
      () => send('generation.start-attempt', id, attempt),
      () => send('generation.request', id, data, once),
    ];
  }),
  bySaga('other words under the same id', 'idempotency-key-reused', (send, id) => [
    () => send('generation.request', id, wanted(), once),
    () => send('generation.request', id, wanted(), once),
  ]),
  bySaga('the expected revision', 'answer', (send, id) => [
    () => send('generation.request', id, wanted()),
    () => send('generation.start-attempt', id, attempt, { expectedRevision: 0 }),
  ]),
  bySaga('another revision than the expected one', 'revision-mismatch', (send, id) => [
    () => send('generation.request', id, wanted()),
    () => send('generation.start-attempt', id, attempt, { expectedRevision: 3 }),
  ]),
  bySaga('what the state does not allow', 'illegal-transition', (send, id) => [
    () => send('generation.request', id, wanted()),
    () => send('generation.cancel', id, { reason: 'no need' }),
    () => send('generation.start-attempt', id, attempt),
  ]),
  bySaga('what does not exist', 'not-found', (send, id) => [() => send('task.cancel', id)]),
  bySaga('data that does not fit', 'invalid-command', (send, id) => [
    () => send('generation.request', id, { ...wanted(), strategies: [], more: 1 }),
  ]),
  bySaga('a target that is no id', 'invalid-command', (send) => [() => send('task.cancel', 'x')]),
  bySaga('what is too large for an event', 'too-large', (send, id) => [
    () => send('generation.request', id, wanted()),
    () => send('generation.start-attempt', id, attempt),
    () => send('generation.fail-attempt', id, { ...attempt, failure: failure(300_000), costUsd: null }),
  ]),
  bySaga('what just fits an event', 'answer', (send, id) => [
    () => send('generation.request', id, wanted()),
    () => send('generation.start-attempt', id, attempt),
    () => send('generation.fail-attempt', id, { ...attempt, failure: failure(260_000), costUsd: null }),
  ]),
  {
    name: 'an agent registers, beats, claims, renews, and is told of its claim',
    ends: 'answer',
    run: async (commands, service) => {
      const [agentId, taskId] = [newId(), await create(service)];
      const send = sender(commands, asAgent(agentId));
      service.hints.splice(0, Infinity, { taskId });
      const outcomes = await inTurn(
        () => send('agent.register', agentId, { name: 'one', runtime: 'command' }),
        () => send('agent.beat', agentId),
        () => send('agent.claim-next', agentId),
      );
      const claimed = outcomes.at(-1);
      const claimId = claimed && 'answer' in claimed ? claimed.answer.details['claimId'] : null;
      return [...outcomes, await send('task.renew', taskId, { claimId })];
    },
  },
  {
    name: "a claim that is not the agent's",
    ends: 'claim-mismatch',
    run: async (commands, service) => {
      const [taskId, agentId] = [await create(service), await register(service)];
      await claim(service, taskId, agentId);
      return [await sender(commands, asAgent(agentId))('task.renew', taskId, { claimId: newId() })];
    },
  },
  {
    name: 'an agent that speaks for another',
    ends: 'forbidden',
    run: async (commands, service) => [await sender(commands, asAgent(newId()))('agent.beat', await register(service))],
  },
];
