import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Routed } from '@workledger/shared/contexts/evolution/routing/state.ts';
import { complexityLevel } from '@workledger/shared/contexts/evolution/routing/events.ts';
import { text, word } from '@workledger/shared/contexts/text.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import { accepted, commandHeaders, intention, receipt, receiptReply } from './command-route.ts';
import { sendCommand } from './send-command.ts';

const ROUTE = '/api/v1/autonomous/ai/route';
const TYPE = 'routing.choose';
/** Where the task's own words come along. */
const WORDY_BYTES = 512 * 1024;
/** Characters of a token, about. */
const CHARACTERS = 4;

const tokens = z.int().min(0).max(10_000_000).nullable().optional();

const request = z.strictObject({
  task_type: word.describe(
    'any name; what is the same type is learned together. Of our own tasks: bug, feature, refactor, docs, …',
  ),
  complexity: complexityLevel,
  preferred_model: text(100, 1).nullable().optional().describe('taken unless it is known to be worse'),
  context: z
    .looseObject({
      repository: text(200, 1).nullable().optional(),
      input_tokens: tokens.describe('that the model will be given; left out: guessed'),
      output_tokens: tokens.describe('that it will answer; left out: guessed'),
    })
    .default({})
    .describe('anything else that is told is measured, and not kept'),
});

const answer = receipt.extend({
  selected_model: z.string(),
  confidence: z
    .number()
    .min(0)
    .max(1)
    .describe('the probability, by what is known, that no other model costs less for a success'),
  routing_reason: z.string(),
  estimated_cost: z.number().min(0).describe('US dollars of one try'),
});

/** Which model is asked, and how that came out. */
export const routingRoutes = (commands: Commands): Route[] => [
  route({
    method: 'post',
    path: ROUTE,
    role: ['agent', 'operator', 'admin'],
    scoped: true,
    summary: 'Choose a model for a task',
    description:
      'By what is known of each model at this type of task of this complexity: Thompson sampling over success and cost. What is little known is tried now and then. ' +
      'Tell how it came out (`…/{id}/outcome`), and the next choice is better.',
    headers: commandHeaders.omit({ 'if-match': true }),
    body: request,
    maxBodyBytes: WORDY_BYTES,
    answers: { 200: { ...accepted, description: 'The model to ask.', schema: answer } },
    problems: ['idempotency-key-reused', 'unknown-repository', 'unknown-reference', 'unavailable'],
    handler: async (input) => {
      const { task_type: taskType, complexity, preferred_model: preferredModel = null, context } = input.body;
      const {
        repository = null,
        input_tokens: inputTokens = guess(context),
        output_tokens: outputTokens = null,
      } = context;
      const key = input.headers['idempotency-key'];
      const sent = await sendCommand(commands, input, {
        type: TYPE,
        route: `POST ${ROUTE}`,
        target: undefined,
        data: { taskType, complexity, preferredModel, repository, inputTokens, outputTokens },
        idempotencyKey: key,
        expectedRevision: undefined,
      });
      return receiptReply({ ...sent, details: told(sent.details as unknown as Told) }, key);
    },
  }),
  intention(commands, {
    method: 'post',
    path: `${ROUTE}/{id}/outcome`,
    type: 'routing.report-outcome',
    summary: 'Tell how a chosen model came out',
    description: 'Once: what was told first stands. The next choices are made by it.',
  }),
];

/** What comes along is a part of what the model will be given; null: nothing comes along. */
function guess(context: object): number | null {
  const length = JSON.stringify(context).length;
  return length <= WORTH_MEASURING ? null : Math.ceil(length / CHARACTERS);
}
const WORTH_MEASURING = 2_000;

type Told = Pick<Routed, 'model' | 'confidence' | 'reason' | 'estimatedCostUsd'>;

const told = ({ model, confidence, reason, estimatedCostUsd }: Told) => ({
  ...{ selected_model: model, confidence, routing_reason: reason, estimated_cost: estimatedCostUsd },
});
