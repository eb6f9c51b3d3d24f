import { z } from 'zod';
import { administrators, defineCommands } from '../../define-commands.ts';
import { text } from '../../text.ts';
import { userRole, type UserRole } from './events.ts';

/** Everybody who may have a key of their own. */
const people = ['viewer', 'operator', 'auditor', 'admin'] as const satisfies readonly UserRole[];

/** A team is its name: it is there as long as somebody is in it. */
export const teamName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'lower-case letters, digits, dots, dashes and underscores; 63 at most');
export const MOST_TEAMS = 50;

const name = text(200, 1);
const email = z.email().max(254);
const reason = text(1_000, 1);
const teams = z.array(teamName).max(MOST_TEAMS);

export const userCommands = defineCommands({
  'user.create': {
    data: z.strictObject({
      name,
      email: email.nullable().default(null),
      role: userRole.default('viewer'),
      teams: teams.default([]),
      onboard: z.boolean().default(false).describe('true: step by step, each undone when a later one fails'),
    }),
    roles: administrators,
    creates: true,
  },
  'user.change': {
    data: z.strictObject({ name: name.optional(), email: email.nullable().optional(), role: userRole.optional() }),
    roles: administrators,
  },
  /** Of one's own; who that is, the route says. */
  'user.rename': { data: z.strictObject({ name }), roles: people, alone: true },
  'user.suspend': { data: z.strictObject({ reason }), roles: administrators },
  'user.resume': { data: z.strictObject({}), roles: administrators },
  'user.join-team': { data: z.strictObject({ team: teamName }), roles: administrators },
  'user.leave-team': { data: z.strictObject({ team: teamName }), roles: administrators },
  /** The steps of an onboarding, and how each is undone. */
  'user.admit': { data: z.strictObject({}), sentBy: ['saga'] },
  'user.withdraw': { data: z.strictObject({ reason }), sentBy: ['saga'] },
  'user.grant': { data: z.strictObject({ role: userRole, teams }), sentBy: ['saga'] },
  'user.take-back': { data: z.strictObject({}), sentBy: ['saga'] },
});
