import { derivedId } from '@workledger/shared/contexts/stream.ts';

/** The id under which an agent of the configuration is registered: the same after every start. */
export const agentIdOf = (name: string): string => derivedId('agent', name);
