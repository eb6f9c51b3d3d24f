import type { z } from 'zod';
import { agentCommands } from '../contexts/agent/agent/commands.ts';
import { inboxCommands } from '../contexts/agent/inbox/commands.ts';
import { messageTypeCommands } from '../contexts/agent/message-type/commands.ts';
import { messageCommands } from '../contexts/agent/message/commands.ts';
import { keyCommands } from '../contexts/agent/key/commands.ts';
import { userCommands } from '../contexts/agent/user/commands.ts';
import { knowledgeCommands } from '../contexts/agent/knowledge/commands.ts';
import type { CommandDeclaration, Sender } from '../contexts/define-commands.ts';
import { evolutionCommands } from '../contexts/evolution/evolution/commands.ts';
import { generationCommands } from '../contexts/evolution/generation/commands.ts';
import { mergeQueueCommands } from '../contexts/evolution/merge-queue/commands.ts';
import { validationCommands } from '../contexts/evolution/validation/commands.ts';
import { commentCommands } from '../contexts/task/comment/commands.ts';
import { issueCommands } from '../contexts/task/issue/commands.ts';
import { deliveryCommands } from '../contexts/sync/delivery/commands.ts';
import { taskCommands } from '../contexts/task/task/commands.ts';
import { questionCommands } from '../contexts/task/question/commands.ts';
import { webhookCommands } from '../contexts/sync/webhook/commands.ts';
import { routingCommands } from '../contexts/evolution/routing/commands.ts';
import { workflowRunCommands } from '../contexts/task/workflow-run/commands.ts';
import { workflowCommands } from '../contexts/task/workflow/commands.ts';
import { documentCommands } from '../contexts/sync/document/commands.ts';
import { dispatchCommands } from '../contexts/agent/dispatch/commands.ts';
import { configurationCommands } from '../contexts/sync/configuration/commands.ts';

/** Every command there is. A new aggregate's are added here, and nowhere else. */
export const commands = {
  ...issueCommands,
  ...commentCommands,
  ...taskCommands,
  ...agentCommands,
  ...keyCommands,
  ...userCommands,
  ...knowledgeCommands,
  ...messageTypeCommands,
  ...messageCommands,
  ...inboxCommands,
  ...generationCommands,
  ...evolutionCommands,
  ...validationCommands,
  ...mergeQueueCommands,
  ...deliveryCommands,
  ...questionCommands,
  ...webhookCommands,
  ...routingCommands,
  ...workflowCommands,
  ...workflowRunCommands,
  ...documentCommands,
  ...dispatchCommands,
  ...configurationCommands,
} as const;

type Catalogue = typeof commands;

export type CommandType = keyof Catalogue;
/** Data of a command after parsing: defaults filled in. */
export type CommandData<Type extends CommandType> = z.infer<Catalogue[Type]['data']>;
/** Data of a command as it may be sent: what has a default may be left out. */
export type CommandInput<Type extends CommandType> = Unchanging<z.input<Catalogue[Type]['data']>>;

type Unchanging<Value> = Value extends readonly (infer Item)[]
  ? readonly Unchanging<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Unchanging<Value[Key]> }
    : Value;

/** The commands that this part of the system may send. */
export type CommandTypeOf<By extends Sender> = {
  [Type in CommandType]: Catalogue[Type] extends { readonly sentBy: readonly (infer Named)[] }
    ? By extends Named
      ? Type
      : never
    : never;
}[CommandType];

export const commandTypes = Object.keys(commands) as readonly CommandType[];

/** How a command was declared. */
export const declarationOf = (type: CommandType): CommandDeclaration => commands[type];

/** Whether that part of the system sends it. */
export const isSentBy = (sender: Sender, type: CommandType): boolean =>
  declarationOf(type).sentBy?.includes(sender) ?? false;
