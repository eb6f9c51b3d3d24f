import { given } from '@workledger/shared/aggregate/testing.ts';
import type { Definition } from '@workledger/shared/contexts/task/workflow/definition.ts';
import type { WorkflowEvent } from '@workledger/shared/contexts/task/workflow/events.ts';
import { workflowFold } from '@workledger/shared/contexts/task/workflow/state.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workflow } from './workflow.ts';

const by = 'user:0190a000-0000-7000-8000-0000000000cc';
const says = (name: string, repository?: string): Definition => ({
  ...{ name, steps: [{ kind: 'timer', id: 'rest', seconds: 1 }] },
  ...(repository !== undefined && { repository }),
});
const defined = (version: number, definition: Definition): WorkflowEvent => ({
  type: 'WorkflowDefined',
  data: { version, definition: { ...definition }, repository: definition.repository ?? null, definedBy: by },
});
const retired: WorkflowEvent = { type: 'WorkflowRetired', data: { retiredBy: by, reason: 'old' } };
const first = defined(1, says('a'));

describe('a workflow', () => {
  it('is defined', () =>
    given(workflow)
      .when('workflow.define', says('a', 'shop'), { actor: by })
      .then(defined(1, says('a', 'shop'))));
  it('is defined once', () => given(workflow, first).when('workflow.define', says('a')).thenRefused('already-exists'));
  it('has a next version', () =>
    given(workflow, first)
      .when('workflow.change', says('b'), { actor: by })
      .then(defined(2, says('b'))));
  it('that says the same has none', () => given(workflow, first).when('workflow.change', says('a')).then());
  it('that is not there has none', () => given(workflow).when('workflow.change', says('a')).thenRefused('not-found'));
  it('is retired, once', () => {
    given(workflow, first).when('workflow.retire', { reason: 'old' }, { actor: by }).then(retired);
    given(workflow, first, retired).when('workflow.retire', { reason: 'again' }).then();
  });
  it('that is not there is not retired', () =>
    given(workflow).when('workflow.retire', { reason: 'old' }).thenRefused('not-found'));
  it('that is retired has no next version', () =>
    given(workflow, first, retired).when('workflow.change', says('b')).thenRefused('illegal-transition'));
});

it('whatever comes: versions count up from 1, and each stays as it was', () => {
  const commands = fc.array(fc.record({ type: fc.constantFrom('define', 'change', 'change', 'retire'), name: fc.constantFrom('a', 'b', 'c') })); // prettier-ignore
  fc.assert(
    fc.property(commands, (all) => {
      let state = workflowFold.initial;
      const model: { names: string[]; retired: boolean } = { names: [], retired: false };
      for (const { type, name } of all) {
        try {
          const context = { id: '0190a000-0000-7000-8000-000000000001', actor: by };
          const events =
            type === 'retire'
              ? workflow.decisions['workflow.retire']({ reason: 'x' }, state, context)
              : workflow.decisions[type === 'define' ? 'workflow.define' : 'workflow.change'](
                  says(name),
                  state,
                  context,
                );
          for (const event of events) {
            if (event.type === 'WorkflowDefined') {
              expect(model.retired).toBe(false);
              model.names.push(name);
              expect(event.data.version).toBe(model.names.length);
            } else model.retired = true;
            state = workflowFold.evolve(state, event);
          }
        } catch (error) {
          expect(error).toMatchObject({ name: 'CommandRefused' });
        }
        expect(state?.versions.map((version) => version.name) ?? []).toEqual(model.names);
        expect(state?.retired ?? false).toBe(model.retired);
      }
    }),
  );
});
