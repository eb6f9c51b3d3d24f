import type { z } from 'zod';
import type { Role } from './agent/key/events.ts';

/**
 * Parts of the system that send commands in a name that is not a person's: sagas decide about work, never about people or keys, and of
 * deliveries they hand over what was missed, for the rules to decide; an agent is spoken for by the process that runs it; `command-service` is the write side itself.
 */
export type Sender = 'saga' | 'agent' | 'command-service';

export type CommandDeclaration<Data extends z.ZodType = z.ZodType> = {
  /** Strict: unknown fields are refused. */
  readonly data: Data;
  /** Whose keys may send it over HTTP in their own name; default: nobody's. */
  readonly roles?: readonly Role[];
  /** Parts of the system that send it; default: none. */
  readonly sentBy?: readonly Sender[];
  /** It creates its target, whose id whoever sends it makes. */
  readonly creates?: true;
  /** It has a route of its own, and no place in a batch. */
  readonly alone?: true;
  /** Steps of workflows may send it, by the rights of whoever started the run. */
  readonly inWorkflows?: true;
};

/** Declares the commands of an aggregate, each once: `<stream type>.<intention>`. */
export const defineCommands = <const Commands extends Readonly<Record<string, CommandDeclaration>>>(
  commands: Commands,
): Commands => commands;

/** The data of a group of commands after parsing, defaults filled in, by command type. */
export type DataOf<Group extends Readonly<Record<string, CommandDeclaration>>> = {
  [Type in keyof Group]: z.infer<Group[Type]['data']>;
};

export const administrators = ['admin'] as const satisfies readonly Role[];
export const operators = ['operator', 'admin'] as const satisfies readonly Role[];
export const workers = ['agent', 'operator', 'admin'] as const satisfies readonly Role[];
/** Whoever has an inbox. */
export const participants = ['viewer', 'agent', 'operator', 'auditor', 'admin'] as const satisfies readonly Role[];
