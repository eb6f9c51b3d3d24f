import { createTurns } from '@workledger/shared/resilience/in-turn.ts';

/** Runs one action after the other for each name, in the order asked, within this process. */
export const inTurn = createTurns();
