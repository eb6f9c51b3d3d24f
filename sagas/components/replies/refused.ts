/** How far work is, as it is told. */
export const STAGES = ['started', 'review', 'done', 'failed', 'cancelled'] as const;
export type Stage = (typeof STAGES)[number];

/** A refusal of a system, as the failure of a step. */
export class Refused extends Error {
  override name = 'Refused';
  readonly code: string;
  readonly passing: boolean;
  constructor(code: string, message: string, { passing = false } = {}) {
    super(message);
    this.code = code;
    this.passing = passing;
  }
}
