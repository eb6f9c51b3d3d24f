/** A stretch of one partition of the bus, or of the log itself. */
export type Stretch = {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly next: bigint;
};
