import type { AppendResult, ExpectedRevision } from '../port.ts';

/** What a statement said of one append: written, or refused (null) because its stream is elsewhere. */
export type Outcome = AppendResult | null;

/** `none` is -1 in the tables' terms: the first event has revision 0. */
export const expectedNumber = (expected: ExpectedRevision): number => (expected === 'none' ? -1 : expected);
