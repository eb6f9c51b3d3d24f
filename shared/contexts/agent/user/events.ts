import { z } from 'zod';
import { defineStreamType, type EventOf, personal } from '../../define-events.ts';
import { uuid } from '../../values.ts';
import { role } from '../key/events.ts';

/** Of a person; `service` is for processes only. */
export const userRole = role.exclude(['service']);
export type UserRole = z.infer<typeof userRole>;

/** `invited`: its onboarding is under way, and nobody is let in as this user yet. */
export const userStates = ['invited', 'active', 'suspended'] as const;

/**
 * What a user may do after an event. Each event has all of it: whoever checks a request reads the last one, however long the stream
 * is.
 */
const access = z.strictObject({ state: z.enum(userStates), role: userRole, teams: z.array(z.string()) });
export type UserAccess = z.infer<typeof access>;

/** `userId` is the stream's own id: the subject whose words these are. */
const words = { userId: uuid, name: personal('userId'), email: personal('userId').nullable() };
const reason = z.string();

export const userEvents = defineStreamType({
  type: 'user',
  context: 'agent',
  events: {
    /** `role` and `teams` are what the user is to have when the onboarding is over. */
    UserOnboardingRequested: {
      version: 1,
      schema: z.strictObject({ ...words, role: userRole, teams: z.array(z.string()), access }),
    },
    UserCreated: { version: 1, schema: z.strictObject({ ...words, access }) },
    UserChanged: {
      version: 1,
      schema: z.strictObject({ userId: uuid, name: words.name.optional(), email: words.email.optional(), access }),
    },
    UserRoleChanged: { version: 1, schema: z.strictObject({ access }) },
    UserJoinedTeam: { version: 1, schema: z.strictObject({ team: z.string(), access }) },
    UserLeftTeam: { version: 1, schema: z.strictObject({ team: z.string(), access }) },
    UserSuspended: { version: 1, schema: z.strictObject({ reason, access }) },
    UserResumed: { version: 1, schema: z.strictObject({ access }) },
  },
});
export type UserEvent = EventOf<typeof userEvents>;
