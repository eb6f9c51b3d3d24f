import type { UserEvent } from '@workledger/shared/contexts/agent/user/events.ts';
import { userModel, type UserRow } from '@workledger/shared/contexts/agent/user/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { usersMigrations } from './migration.ts';

/** The user after the event; what they may do stands in each of them. */
function foldUser(row: UserRow | undefined, event: Recorded<UserEvent>): UserRow {
  const at = event.recordedAt.toISOString();
  const now = { revision: event.revision, ...event.data.access, updatedAt: at };
  switch (event.type) {
    case 'UserOnboardingRequested':
    case 'UserCreated': {
      const { name, email } = event.data;
      const { createdAt = at } = row ?? {};
      return { id: streamId(event.stream), name, email, ...now, suspendedReason: null, createdAt };
    }
    case 'UserChanged': {
      const before = existing(row, event);
      const { name = before.name, email = before.email } = event.data;
      return { ...before, ...now, name, email };
    }
    case 'UserSuspended':
      return { ...existing(row, event), ...now, suspendedReason: event.data.reason };
    case 'UserResumed':
      return { ...existing(row, event), ...now, suspendedReason: null };
    case 'UserRoleChanged':
    case 'UserJoinedTeam':
    case 'UserLeftTeam':
      return { ...existing(row, event), ...now };
  }
}

export const users = defineProjection<UserRow, Recorded<UserEvent>>(userModel, {
  migrations: usersMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldUser,
});
