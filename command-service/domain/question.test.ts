import { given } from '@workledger/shared/aggregate/testing.ts';
import type { QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { question, type Powers, type QuestionDecisions } from './question.ts';

const id = (number: number): string => `0190a000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const commit = 'a'.repeat(40);
const [agent, person] = [`agent:${id(1)}`, `key:${id(2)}`];
const at = '2026-01-01T00:01:00.000Z';
const [early, due] = [Date.parse(at) - 1, Date.parse(at)];

const operator: Powers = { role: 'operator', teams: [] };
const viewer: Powers = { role: 'viewer', teams: [] };
const admin: Powers = { role: 'admin', teams: [] };
const system: Powers = { role: null, teams: [] };

const data: QuestionDecisions['question.ask'] = {
  taskId: id(3),
  repository: 'sample',
  askee: { kind: 'role', role: 'operator' },
  text: 'Which greeting?',
  choices: [],
  deadline: null,
};
const asks = (more: Partial<typeof data> = {}): QuestionEvent => ({
  type: 'QuestionAsked',
  data: { ...data, ...more, askedBy: agent, runId: null, approval: null },
});
const about = { taskId: id(3), runId: null };
const answered = (more: object = {}): QuestionEvent => ({
  type: 'QuestionAnswered',
  data: { ...about, choice: null, words: 'Hello', answeredBy: person, via: 'api', ...more },
});
const withdrawn: QuestionEvent = {
  type: 'QuestionWithdrawn',
  data: { ...about, withdrawnBy: agent, reason: 'no need' },
};
const words = (powers: Powers) => ({ choice: null, words: 'Hello', powers });
const by = (actor: string) => ({ actor });

describe('a question of a run about how it goes on', () => {
  const data = { taskId: id(3), runId: id(9), askee: { kind: 'role', role: 'operator' }, text: 'How?' } as const;
  const asking = { ...data, choices: ['wait', 'merge'], repository: 'sample' };
  const saga = 'saga:code-evolution';
  const asked: QuestionEvent = {
    type: 'QuestionAsked',
    data: { ...asking, askedBy: saga, deadline: null, approval: null },
  };
  it('is asked once, and answered by one of its choices without a word', () => {
    given(question).when('question.ask-choice', asking, by(saga)).then(asked);
    given(question, asked).when('question.ask-choice', asking, by(saga)).then();
    const answer = { choice: 'merge', words: null, powers: operator };
    given(question, asked)
      .when('question.answer', answer, by(person))
      .then(answered({ runId: id(9), choice: 'merge', words: null }));
    given(question, asked)
      .when('question.answer', { ...answer, choice: 'drop' }, by(person))
      .thenRefused('out-of-range');
  });
});

describe('a question', () => {
  it('is asked', () => given(question).when('question.ask', data, by(agent)).then(asks()));
  it('is asked once', () => given(question, asks()).when('question.ask', data).thenRefused('already-exists'));
  it('has each choice once, and a default among them', () => {
    given(question)
      .when('question.ask', { ...data, choices: ['a', 'a'] })
      .thenRefused('out-of-range');
    const deadline = { at, then: 'default', answer: 'c' } as const;
    given(question)
      .when('question.ask', { ...data, choices: ['a', 'b'], deadline })
      .thenRefused('out-of-range');
  });
  it('is answered by words', () =>
    given(question, asks()).when('question.answer', words(operator), by(person)).then(answered()));
  it('or by a choice, and words beside it', () =>
    given(question, asks({ choices: ['yes', 'no'] }))
      .when('question.answer', { choice: 'no', words: 'too long', powers: operator }, by(person))
      .then(answered({ choice: 'no', words: 'too long' })));
  it('not by what is none of its choices, nor by a choice where it has none', () => {
    const answer = { choice: 'maybe', words: null, powers: operator };
    given(question, asks({ choices: ['yes', 'no'] }))
      .when('question.answer', answer)
      .thenRefused('out-of-range');
    given(question, asks({ choices: ['yes'] }))
      .when('question.answer', words(operator))
      .thenRefused('out-of-range');
    given(question, asks()).when('question.answer', answer).thenRefused('out-of-range');
    given(question, asks())
      .when('question.answer', { choice: null, words: null, powers: operator })
      .thenRefused('out-of-range');
  });
  it('has one answer: who comes second is told the one that stands', () =>
    given(question, asks(), answered())
      .when('question.answer', { choice: null, words: 'Hi', powers: operator }, by(`key:${id(9)}`))
      .thenRefused('already-answered', { answer: { choice: null, words: 'Hello', answeredBy: person } }));
  it('that is not there, or was withdrawn, has none', () => {
    given(question).when('question.answer', words(admin)).thenRefused('not-found');
    given(question, asks(), withdrawn).when('question.answer', words(operator)).thenRefused('illegal-transition');
  });
});

describe('who answers', () => {
  const may = (askee: typeof data.askee, powers: Powers, actor = person) =>
    given(question, asks({ askee })).when('question.answer', words(powers), by(actor));
  const ada = { kind: 'participant', participant: person } as const;
  const team = { kind: 'team', team: 'web' } as const;
  it('whoever is asked', () => may(ada, viewer).then(answered()));
  it('whoever has the role', () => may({ kind: 'role', role: 'viewer' }, viewer).then(answered()));
  it('whoever is in the team', () => may(team, { role: 'viewer', teams: ['db', 'web'] }).then(answered()));
  it('an administrator', () => may(ada, admin, `key:${id(9)}`).then(answered({ answeredBy: `key:${id(9)}` })));
  it('nobody else', () => {
    may(ada, operator, `key:${id(9)}`).thenRefused('forbidden');
    may({ kind: 'role', role: 'auditor' }, operator).thenRefused('forbidden');
    may(team, { role: 'operator', teams: ['db'] }).thenRefused('forbidden');
    may(team, system, 'system').thenRefused('forbidden');
  });
});

describe('the deadline of a question', () => {
  const meet = { at, now: due };
  const open = (deadline: typeof data.deadline, choices: string[] = []) => asks({ deadline, choices });
  const escalate = open({ at, then: 'escalate', role: 'admin' });
  it('never comes early', () =>
    given(question, open({ at, then: 'fail' }))
      .when('question.meet-deadline', { at, now: early })
      .then());
  it('makes the default the answer', () => {
    given(question, open({ at, then: 'default', answer: 'Hello' }))
      .when('question.meet-deadline', meet)
      .then({ type: 'QuestionDefaulted', data: { ...about, choice: null, words: 'Hello' } });
    given(question, open({ at, then: 'default', answer: 'yes' }, ['yes', 'no']))
      .when('question.meet-deadline', meet)
      .then({ type: 'QuestionDefaulted', data: { ...about, choice: 'yes', words: null } });
  });
  it('lets it fail', () =>
    given(question, open({ at, then: 'fail' }))
      .when('question.meet-deadline', meet)
      .then({ type: 'QuestionFailed', data: { ...about, reason: 'nobody answered in time' } }));
  it('asks a role, too, once; whoever was asked before may still answer', () => {
    const escalated: QuestionEvent = { type: 'QuestionEscalated', data: { ...about, role: 'admin' } };
    given(question, escalate).when('question.meet-deadline', meet).then(escalated);
    given(question, escalate, escalated).when('question.meet-deadline', meet).then();
    given(question, escalate, escalated).when('question.answer', words(operator), by(person)).then(answered());
    const auditor: QuestionEvent = { type: 'QuestionEscalated', data: { ...about, role: 'auditor' } };
    given(question, escalate, auditor)
      .when('question.answer', words({ role: 'auditor', teams: [] }), by(person))
      .then(answered());
  });
  it('changes nothing of what has its answer, nor of another deadline', () => {
    given(question, open({ at, then: 'fail' }), answered())
      .when('question.meet-deadline', meet)
      .then();
    given(question, open({ at: '2026-01-02T00:00:00.000Z', then: 'fail' }))
      .when('question.meet-deadline', meet)
      .then();
    given(question, asks()).when('question.meet-deadline', meet).then();
  });
});

describe('withdrawing a question', () => {
  const withdraw = (powers: Powers) => ({ reason: 'no need', powers });
  it('is for whoever asked, an administrator, and whoever ends its task', () => {
    given(question, asks())
      .when('question.withdraw', withdraw({ role: 'agent', teams: [] }), by(agent))
      .then(withdrawn);
    for (const [powers, actor] of [
      [admin, person],
      [system, `saga:saga-questions-${id(3)}`],
    ] as const)
      given(question, asks())
        .when('question.withdraw', withdraw(powers), by(actor))
        .then({ type: 'QuestionWithdrawn', data: { ...about, withdrawnBy: actor, reason: 'no need' } });
    given(question, asks()).when('question.withdraw', withdraw(operator), by(person)).thenRefused('forbidden');
  });
  it('comes too late for an answer; whoever ends a task need not know', () => {
    given(question, asks(), answered())
      .when('question.withdraw', withdraw(admin), by(person))
      .thenRefused('illegal-transition');
    given(question, asks(), answered()).when('question.withdraw', withdraw(system)).then();
    given(question, asks(), withdrawn).when('question.withdraw', withdraw(admin)).then();
  });
});

describe('an approval', () => {
  const saga = `saga:saga-code-evolution-${id(4)}`;
  const asking = {
    ...{ taskId: id(3), runId: id(4), askee: { kind: 'role', role: 'operator' } as const, commit, base: commit },
    ...{ repository: 'sample', text: 'May it be merged?', makers: [agent, `key:${id(8)}`] },
  };
  const asked: QuestionEvent = {
    type: 'QuestionAsked',
    data: {
      ...{ taskId: id(3), runId: id(4), askedBy: saga, askee: data.askee, text: 'May it be merged?' },
      ...{ choices: ['approve', 'send-back', 'refuse'], repository: 'sample', deadline: null },
      approval: { commit, base: commit, makers: [agent, `key:${id(8)}`] },
    },
  };
  const answer = (choice: string, said: string | null = null) => ({ choice, words: said, powers: operator });
  it('is a question of three choices, without a deadline, asked once', () => {
    given(question).when('question.ask-approval', asking, by(saga)).then(asked);
    given(question, asked).when('question.ask-approval', asking, by(saga)).then();
  });
  it('needs words, but for a yes', () => {
    given(question, asked).when('question.answer', answer('refuse'), by(person)).thenRefused('out-of-range');
    given(question, asked).when('question.answer', answer('send-back', '  '), by(person)).thenRefused('out-of-range');
    given(question, asked)
      .when('question.answer', answer('approve'), by(person))
      .then(answered({ runId: id(4), choice: 'approve', words: null }));
  });
  it('is never given by whoever made the work, administrators included', () => {
    for (const actor of asking.makers)
      given(question, asked)
        .when('question.answer', { ...answer('approve'), powers: admin }, by(actor))
        .thenRefused('forbidden');
  });
  it('is not withdrawn by people', () =>
    given(question, asked)
      .when('question.withdraw', { reason: 'no need', powers: admin }, by(person))
      .thenRefused('forbidden'));
});

/** What the model knows: how it ended, and whether its role was joined by another. */
type Model = { end: 'open' | 'answered' | 'failed' | 'withdrawn'; escalated: boolean };
const then = fc.constantFrom('default', 'fail', 'escalate', 'none');
const step = fc.constantFrom('answer', 'answer-as-auditor', 'withdraw', 'withdraw-by-system', 'meet', 'meet-early');

it('whatever comes: it ends once, by the first that may end it, and its answer never changes', () => {
  fc.assert(
    fc.property(then, fc.array(step, { maxLength: 12 }), (what, steps) => {
      const deadline = what === 'none' ? null : { at, then: what, answer: 'Hello', role: 'auditor' as const };
      let state = question.evolve(question.initial, asks({ deadline }));
      const model: Model = { end: 'open', escalated: false };
      let first: unknown = null;
      for (const [number, each] of steps.entries()) {
        const isOpen = model.end === 'open';
        for (const event of decide(each, state, number)) state = question.evolve(state, event);
        if (isOpen && each === 'answer') model.end = 'answered';
        if (isOpen && each === 'answer-as-auditor' && model.escalated) model.end = 'answered';
        if (isOpen && each.startsWith('withdraw')) model.end = 'withdrawn';
        if (isOpen && each === 'meet') {
          if (what === 'default') model.end = 'answered';
          if (what === 'fail') model.end = 'failed';
          model.escalated ||= what === 'escalate';
        }
        expect([state.status, state.escalated]).toEqual([model.end, model.escalated]);
        expect(state.answer !== null).toBe(model.end === 'answered');
        first ??= state.answer;
        expect(state.answer).toEqual(first);
      }
    }),
    { numRuns: 300 },
  );
});

function decide(step: string, state: typeof question.initial, number: number): readonly QuestionEvent[] {
  const { decisions } = question;
  const context = { id: id(0), actor: `key:${id(number)}` };
  const said = { choice: null, words: `answer ${number}` };
  try {
    if (step === 'answer') return decisions['question.answer']({ ...said, powers: operator }, state, context);
    if (step === 'answer-as-auditor')
      return decisions['question.answer']({ ...said, powers: { role: 'auditor', teams: [] } }, state, context);
    if (step.startsWith('withdraw')) {
      const powers = step === 'withdraw' ? admin : system;
      return decisions['question.withdraw']({ reason: 'no need', powers }, state, context);
    }
    return decisions['question.meet-deadline']({ at, now: step === 'meet' ? due : early }, state, context);
  } catch {
    return [];
  }
}
