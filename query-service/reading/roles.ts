import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';

/** Whoever has a key may read what work is done, by whom, and how it goes; but for services, which only send commands. */
export const READERS: readonly Role[] = ['viewer', 'agent', 'operator', 'auditor', 'admin'];
/** What came in from outside, with the bodies as they were sent. */
export const OPERATORS: readonly Role[] = ['operator', 'auditor', 'admin'];
/** The log itself. */
export const AUDITORS: readonly Role[] = ['auditor', 'admin'];
export const ADMINISTRATORS: readonly Role[] = ['admin'];
