import type { ArtefactReference, Failure } from '@workledger/shared/contexts/values.ts';
import type { Random } from './random.ts';

const hex = (random: Random, length: number): string =>
  Array.from({ length }, () => random.below(16).toString(16)).join('');

export const commitOf = (random: Random): string => hex(random, 40);

export const artefactOf = (random: Random): ArtefactReference => ({
  digest: hex(random, 64),
  size: random.below(10_000),
  mediaType: 'text/plain',
});

export const failureOf = (random: Random): Failure => ({
  step: 'validate',
  reason: 'the tests fail',
  command: ['node', '--test'],
  exitCode: 1 + random.below(9),
  lastLines: ['not ok 1'],
  log: artefactOf(random),
});
