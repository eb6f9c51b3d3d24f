import type { Projection } from './projection.ts';

/** The schema of the live read models. A rebuild for comparison has its own. */
export const LIVE = 'read_models';

/** Where a projection keeps what: rows, progress by partition, continuity by stream, ids of topics. */
export type Tables = {
  readonly rows: string;
  readonly progress: string;
  readonly streams: string;
  /** Which topics the progress is about. */
  readonly topics: string;
};

export const tablesOf = ({ table, version }: Projection, schema: string = LIVE): Tables => ({
  rows: `${schema}.${table}_v${version}`,
  progress: `${schema}.progress`,
  streams: `${schema}.streams`,
  topics: `${schema}.topics`,
});
