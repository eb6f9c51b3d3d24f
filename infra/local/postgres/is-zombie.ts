import { statFields } from '@workledger/sagas/components/process/processes.ts';

/** A killed process that nobody has reaped still has a pid and takes signals; it does nothing any more. */
export const isZombie = (pid: number): boolean => ['Z', 'X'].includes(statFields(pid)?.state ?? '');
