import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type Answered = Extract<DeliveryEvent, { type: 'DeliveryAnswered' }>['data'];

/** Whom a repository trusts may answer what operators may: no more is known of them. */
const POWERS = { role: 'operator', teams: [] } as const;

/**
 * Answers a question as somebody did where the task came from. What they said, and that they may, stands in the delivery.
 * @throws CommandRefused
 */
export async function answerByDelivery(
  room: Room,
  questionId: string,
  { deliveryId }: CommandData<'question.answer-delivery'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const delivered = (await room.deliveries.load(deliveryId)).state.answered;
  const { asked } = (await room.questions.load(questionId)).state;
  if (delivered === null || !delivered.isTrusted || asked === null || asked.taskId !== delivered.taskId)
    return refuse('not-found', 'there is no such question here');
  const data = { ...fitted(delivered, asked), powers: POWERS, from: { by: delivered.by, via: viaOf(delivered) } };
  return room.questions.handle(questionId, { type: 'question.answer', data }, context);
}

const viaOf = ({ by }: Answered): 'github' | 'linear' | 'slack' => by.slice(0, by.indexOf(':')) as 'slack';

type Asked = { readonly choices: readonly string[]; readonly approval: object | null };

/** What was said, as the question wants to be answered. */
function fitted({ verb, choice, words, by }: Answered, { choices, approval }: Asked) {
  if (choice !== undefined) {
    const needsWords = approval !== null && choice !== 'approve' && words === null;
    return { choice, words: needsWords ? `by a button in ${by.split(':')[0] ?? ''}` : words };
  }
  if (approval !== null) return { choice: verb, words };
  if (verb !== 'answer') refuse('out-of-range', 'this is no approval: say "answer" and your answer');
  if (choices.length === 0) return { choice: null, words };
  const said = (words ?? '').toLowerCase();
  const [chosen] = choices
    .filter((each) => said.startsWith(each.toLowerCase()))
    .toSorted((one, other) => other.length - one.length);
  if (chosen === undefined) return refuse('out-of-range', `answer by one of: ${choices.join(', ')}`);
  const rest = (words ?? '').slice(chosen.length).trim();
  return { choice: chosen, words: rest === '' ? null : rest };
}
