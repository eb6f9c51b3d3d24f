import type { CheckConfiguration } from '@workledger/shared/config/checks.ts';
import type { Severity } from '@workledger/shared/contexts/evolution/validation/checks.ts';

export type ReportFormat = NonNullable<CheckConfiguration['report']>['format'];

/** One complaint as a tool wrote it: nothing in it is trusted yet. */
export type Reported = {
  readonly severity: Severity;
  readonly rule: string;
  readonly message: string;
  /** As written: absolute, relative, or an address of a file. */
  readonly path: string | null;
  readonly line: number | null;
  /** What the tool itself knows it by, over changes of the code. */
  readonly identity?: string;
};

/** What a report holds; `problem`: it is not what it says it is; `unavailable`: the tool says that it could not tell. */
export type Read =
  | { readonly reported: readonly Reported[] }
  | { readonly problem: string }
  | { readonly unavailable: string };
