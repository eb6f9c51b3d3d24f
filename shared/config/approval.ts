import { z } from 'zod';
import { role } from '../contexts/agent/key/events.ts';
import { word } from '../contexts/text.ts';

/** Agents do not approve what agents make. */
const approving = role.exclude(['agent', 'service']);

/** Whether somebody must approve what is to be merged: nobody, operators, whoever has a role, or a team. */
export const approvalPolicy = z.union([
  z.enum(['none', 'before-merge']),
  z.strictObject({ role: approving }),
  z.strictObject({ team: word }),
]);
export type ApprovalPolicy = z.infer<typeof approvalPolicy>;

/** Whom a policy names. */
export const approver = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('role'), role: approving }),
  z.strictObject({ kind: z.literal('team'), team: word }),
]);
