import { z } from 'zod';
import { defineCommands, operators } from '../../define-commands.ts';
import { text } from '../../text.ts';
import { definition } from './definition.ts';

const reason = text(1_000, 1);

export const workflowCommands = defineCommands({
  'workflow.define': { data: definition, roles: operators, creates: true },
  /** The next version, whole. */
  'workflow.change': { data: definition, roles: operators },
  'workflow.retire': { data: z.strictObject({ reason: reason.default('retired on request') }), roles: operators },
});
