import type { Role } from '../events/key.ts';

/** Who sends a request, as its API key says. */
export type Principal = {
  readonly keyId: string;
  readonly role: Role;
  /** The agent that a key of role `agent` speaks for; null for all other roles. */
  readonly agentId: string | null;
  /** Opaque caller for events and logs: `key:<keyId>` or `agent:<agentId>`. */
  readonly actor: string;
};
