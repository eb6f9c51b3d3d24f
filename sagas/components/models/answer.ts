import { callable } from '@workledger/shared/workflows/callable.ts';
import { isUnanswered, NotAllowed } from '@workledger/shared/outbound/failures.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { z } from 'zod';
import { ComponentFailure, type Component } from '../../engine/component.ts';
import { failureOf } from '../failures.ts';
import { BudgetSpent, modelsFor, type Models } from './models.ts';
import { ModelRefused, saidIn } from './providers.ts';

const NAME = 'model.answer';
const STEP = 'model';
/** Characters: it stands in an event. */
const LONGEST_ANSWER = 100_000;
const asked = callable[NAME].request.extend({ runId: z.uuid() });

/** One answer of a configured model to a step of a workflow: within its run the same is asked, and paid, once. */
export function createModelAnswer(models: Models): Component<unknown> {
  const perform: Component<unknown>['perform'] = async (given, { key, signal }) => {
    const { model, prompt, system, budgetUsd, runId } = asked.parse(given);
    const scope = `workflow-run/${runId}`;
    const messages = [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: prompt },
    ];
    try {
      const known = modelsFor({ models }, STEP, model);
      const common = { model, scope, number: 0, paidFor: key, budgetUsd, signal };
      const answer = await known.chat({ ...common, request: { model: known.idOf(model), messages } });
      const { text, isCut } = saidIn(answer);
      if (text.length > LONGEST_ANSWER)
        throw new ModelRefused(`its answer has more than ${LONGEST_ANSWER} characters`, 0);
      return { text: text.toWellFormed().replaceAll('\u0000', '\uFFFD'), isCut, costUsd: answer.costUsd };
    } catch (error) {
      signal.throwIfAborted();
      const isFinal = error instanceof ModelRefused || error instanceof NotAllowed || error instanceof BudgetSpent;
      if (!isFinal && !isUnanswered(error)) throw error;
      const options = { retryable: !isFinal, fault: 'work', cause: error } as const;
      throw new ComponentFailure(failureOf(STEP, oneLine(error)), options);
    }
  };
  return { name: NAME, perform };
}
