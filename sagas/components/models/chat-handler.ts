import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { Postponed } from '../../engine/component.ts';
import { LimitReached } from '@workledger/shared/outbound/failures.ts';
import { type Handlers, refusal, type Reply } from '../sandbox/endpoint.ts';
import { BudgetSpent, type ChatAsked, digestOf, type Models } from './models.ts';
import { chatRequest, ModelRefused } from './providers.ts';

/**
 * OpenAI's `/v1/chat/completions`, answered by our models. What is asked goes on although whoever asked may end: its answer is paid, and
 * kept for whoever asks the same again. @param onSpent the budget is spent
 */
export function chatHandler(
  models: Models,
  asked: Omit<ChatAsked, 'request' | 'number'>,
  {
    onSpent,
    counts = new Map(),
  }: { readonly onSpent: (reason: string) => void; readonly counts?: Map<string, number> },
): Handlers[string] {
  return async (body) => {
    const read = chatRequest.safeParse(body);
    if (!read.success) return refusal(400, 'this is no chat that is answered at once', 'invalid_request_error');
    // Who begins anew, after a kill, counts from 0 again: it is told what was answered then.
    const digest = digestOf({ ...asked, request: read.data });
    const number = counts.get(digest) ?? 0;
    counts.set(digest, number + 1);
    try {
      const { text } = await models.chat({ ...asked, request: read.data, number });
      return { status: 200, json: text };
    } catch (error) {
      if (!(error instanceof BudgetSpent)) return refusalOf(error);
      onSpent(error.message);
      return refusal(402, error.message, 'budget_spent');
    }
  };
}

function refusalOf(error: unknown): Reply {
  if (error instanceof ModelRefused) return refusal(error.status, error.message, 'model_refused');
  if (error instanceof LimitReached || error instanceof Postponed) return refusal(429, error.message, 'rate_limit');
  return refusal(502, oneLine(error), 'model_away');
}
