import type { Role } from './events.ts';
import { defineReadModel } from '../../define-row.ts';

/** An API key as an administrator may see it: nothing that helps to guess it. */
export type KeyRow = {
  readonly id: string;
  readonly revision: number;
  readonly name: string;
  readonly role: Role;
  readonly agentId: string | null;
  readonly createdAt: string;
  readonly revokedAt: string | null;
  readonly reason: string | null;
};

export const keyModel = defineReadModel<KeyRow>({
  name: 'keys',
  version: 1,
  table: 'keys',
  streams: ['key'],
  columns: {
    id: true,
    revision: true,
    name: true,
    role: true,
    agentId: true,
    createdAt: true,
    revokedAt: true,
    reason: true,
  },
});
