import { distributed } from './distributed.ts';
import { embedded } from './embedded.ts';
import type { Engine } from './engine.ts';

/** Every promise is tried on each of these. */
export const engines: readonly Engine[] = [embedded, distributed];
