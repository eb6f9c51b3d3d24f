/** One thing that was tried before work starts. */
export type CheckResult = {
  /** What was tried: `repository "shop": test`. */
  readonly subject: string;
  readonly ok: boolean;
  /** What was found; when not ok, what to do. One line. */
  readonly detail: string;
};
