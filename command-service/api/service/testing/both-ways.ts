import { createHttpCommands } from '@workledger/shared/commands/http/http-commands.ts';
import type { CommandAnswer, CommandContext, Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { Service } from '../../testing/service.ts';

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
