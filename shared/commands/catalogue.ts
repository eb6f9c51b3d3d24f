import type { z } from 'zod';
import { agentCommands } from '../contexts/agent/agent/commands.ts';
import { deliveryCommands } from '../contexts/sync/delivery/commands.ts';
import { evolutionCommands } from '../contexts/evolution/evolution/commands.ts';
import { keyCommands } from '../contexts/agent/key/commands.ts';
import { taskCommands } from '../contexts/task/task/commands.ts';

/** Every command there is, with the schema of its data (strict: unknown fields are refused). */
export const commands = {
  ...taskCommands,
  ...agentCommands,
  ...keyCommands,
  ...evolutionCommands,
  ...deliveryCommands,
} as const;

export type CommandType = keyof typeof commands;
/** Data of a command after parsing: defaults filled in. */
export type CommandData<Type extends CommandType> = z.infer<(typeof commands)[Type]>;
/** The data types of a group of commands, by command type. */
export type DataOf<Group extends Record<string, z.ZodType>> = { [Type in keyof Group]: z.infer<Group[Type]> };
