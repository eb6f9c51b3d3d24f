import {
  untilLogIsRight as untilLogIsRightFor,
  type LogIdentityOptions,
} from '@workledger/shared/consumption/log-identity.ts';

const READ_MODELS = {
  schema: 'read_models',
  who: 'projections',
  what: 'the read models',
  meanwhile: 'Nothing is applied',
};

export type CheckOptions = Omit<LogIdentityOptions, 'outages'>;

/** Waits until the read models and the log belong together; says once why it waits. What is away is told by those who use it. */
export const untilLogIsRight = ({ pool, log, logger, signal, onProblem }: CheckOptions): Promise<void> =>
  untilLogIsRightFor(READ_MODELS, { pool, log, logger, signal, onProblem });
