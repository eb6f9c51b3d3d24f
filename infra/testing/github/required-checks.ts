type Protected = {
  readonly requiredChecks: readonly string[];
  readonly statuses: readonly { readonly sha: string; readonly context: string; readonly state: string }[];
  readonly checkRuns: readonly Readonly<Record<string, unknown>>[];
};

const FINE: ReadonlySet<unknown> = new Set(['success', 'neutral', 'skipped']);

/** GitHub's words for the first required check that has not succeeded on this head; null: all have. */
export function missingCheck({ requiredChecks, statuses, checkRuns }: Protected, head: string): string | null {
  for (const name of requiredChecks) {
    const status = statuses.findLast(({ sha, context }) => sha === head && context === name)?.state;
    const run = checkRuns.findLast((one) => one['head_sha'] === head && one['name'] === name);
    const state = status ?? (run?.['status'] === 'completed' ? run['conclusion'] : run && 'pending');
    if (state === undefined) return `Required status check "${name}" is expected.`;
    if (!FINE.has(state))
      return `Required status check "${name}" is ${state === 'pending' ? 'in progress' : 'failing'}.`;
  }
  return null;
}
