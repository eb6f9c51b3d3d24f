import type { Role } from '../contexts/agent/key/events.ts';

/** Who sends a request, as its API key says. */
export type Principal = {
  readonly keyId: string;
  readonly role: Role;
  /** The agent that a key of role `agent` speaks for; null for all other roles. */
  readonly agentId: string | null;
  /** Opaque caller for events and logs: `key:<keyId>` or `agent:<agentId>`. */
  readonly actor: string;
};
