import { z } from 'zod';
import { id, revision } from './values.ts';

/** Something that was done for a task, as it is in a list. @param states in which it can be */
export const runAnswer = (states: readonly [string, ...string[]]) =>
  z.looseObject({ id, revision, taskId: id.nullable(), state: z.enum(states) });
