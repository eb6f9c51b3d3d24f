import type * as code from './code/requests.ts';

type Call<Request, Result> = { readonly request: Request; readonly result: Result };

/** Every component there is, with what it is asked and what it answers: a component's name gives both. */
export type Calls = {
  'code.prepare': Call<code.PrepareRequest, code.PrepareResult>;
  'code.work': Call<code.WorkRequest, code.WorkResult>;
  'code.evaluate': Call<code.EvaluateRequest, code.EvaluateResult>;
  'code.publish': Call<code.PublishRequest, code.PublishResult>;
  'code.unpublish': Call<code.UnpublishRequest, code.UnpublishResult>;
  'code.validate': Call<code.ValidateRequest, code.ValidateResult>;
  'code.merge': Call<code.MergeRequest, code.MergeResult>;
  'code.rebase': Call<code.RebaseRequest, code.RebaseResult>;
  'code.diff': Call<code.DiffRequest, code.DiffResult>;
  'code.inspect': Call<code.InspectRequest, code.InspectResult>;
  'code.cleanup': Call<code.CleanupRequest, code.CleanupResult>;
};

export type ComponentName = keyof Calls;
