import { commands, declarationOf, type CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { describe, expect, test } from 'vitest';
import { reasonToForbid, rolesOf, sendingRoles } from './may-send.ts';

const OWN = '0198c0de-0000-7000-8000-00000000000a';
const OTHER = '0198c0de-0000-7000-8000-00000000000b';
const principal = (role: Role, agentId: string | null = null): Principal => ({
  keyId: OTHER,
  role,
  agentId,
  repositories: null,
  teams: [],
  actor: 'x',
});
const types = Object.keys(commands) as CommandType[];
const sendable = (role: Role): string[] => types.filter((type) => rolesOf(type).includes(role));

describe('who may send what', () => {
  test('every command is sent by somebody', () => {
    const idle = types.filter((type) => rolesOf(type).length === 0 && (declarationOf(type).sentBy ?? []).length === 0);
    // Nothing gives an evolution up by itself yet.
    expect(idle).toEqual(['evolution.fail']);
  });

  test('viewers and auditors only look after their inbox and their own name, and answer what they are asked; services send nothing in their own name', () => {
    const ofInbox = ['inbox.read-all', 'inbox.subscribe', 'inbox.unsubscribe', 'message.deliver', 'message.read'];
    const ofDispatches = ['dispatch.acknowledge', 'dispatch.hand', 'dispatch.reject'];
    const own = [...ofDispatches, ...ofInbox, 'question.answer', 'user.rename'];
    expect([sendable('viewer').sort(), sendable('auditor').sort()]).toEqual([own, own]);
    expect(sendable('service')).toEqual([]);
    expect([...sendingRoles].sort()).toEqual(['admin', 'agent', 'operator']);
  });

  test('an agent does its own work, and nothing that decides about it', () => {
    expect(sendable('agent').sort()).toEqual([
      'agent.beat',
      'agent.claim-next',
      'agent.clear-error',
      'agent.report-error',
      'comment.create',
      'comment.delete',
      'comment.edit',
      'dispatch.acknowledge',
      'dispatch.hand',
      'dispatch.reject',
      'dispatch.send',
      'document.create',
      'document.propose',
      'inbox.read-all',
      'inbox.subscribe',
      'inbox.unsubscribe',
      'issue.accept',
      'issue.create',
      'issue.decline',
      'issue.resolve',
      'issue.start',
      'knowledge.archive',
      'knowledge.create',
      'knowledge.relate',
      'knowledge.restore',
      'knowledge.revise',
      'knowledge.share',
      'knowledge.unrelate',
      'knowledge.use',
      'message.deliver',
      'message.read',
      'message.send',
      'question.answer',
      'question.ask',
      'question.withdraw',
      'routing.choose',
      'routing.report-outcome',
      'task.claim',
      'task.release',
      'task.renew',
      'task.report-progress',
      'task.submit',
    ]);
  });

  test('an admin may what an operator may, and keys and users', () => {
    expect(sendable('admin')).toEqual(expect.arrayContaining(sendable('operator')));
    expect(sendable('admin').filter((type) => !sendable('operator').includes(type))).toEqual([
      'key.create',
      'key.revoke',
      'user.create',
      'user.change',
      'user.suspend',
      'user.resume',
      'user.join-team',
      'user.leave-team',
    ]);
  });

  test('nobody sends over HTTP what only sagas decide', () => {
    const internal = types.filter((type) => /^(generation|evolution|validation|delivery)\./.test(type));
    for (const type of [
      ...internal,
      'task.complete',
      'task.fail',
      'task.expire-claim',
      'agent.reserve',
      'agent.release',
      'user.admit',
      'user.grant',
    ] as const)
      expect(rolesOf(type)).toEqual([]);
  });
});

describe("a user's key", () => {
  const ada: Principal = { ...principal('admin'), actor: `user:${OWN}` };
  const rename = (target: string) => ({ type: 'user.rename', target, data: { name: 'x' } }) as const;

  test('gives its own user another name, whatever its role', () => {
    expect(reasonToForbid(ada, rename(OWN))).toBeNull();
    expect(reasonToForbid(ada, rename(OTHER))).toMatch(/their own name/);
    expect(reasonToForbid(principal('admin'), rename(OWN))).toMatch(/their own name/);
  });
});

describe("an agent's key", () => {
  const agent = principal('agent', OWN);

  test('commands its own agent only', () => {
    expect(reasonToForbid(agent, { type: 'agent.beat', target: OWN.toUpperCase(), data: {} })).toBeNull();
    expect(reasonToForbid(agent, { type: 'agent.beat', target: OTHER, data: {} })).toMatch(/that agent only/);
  });

  test('claims for its own agent only', () => {
    expect(reasonToForbid(agent, { type: 'task.claim', target: OTHER, data: { agentId: OWN } })).toBeNull();
    expect(reasonToForbid(agent, { type: 'task.claim', target: OTHER, data: { agentId: OTHER } })).toMatch(
      /that agent only/,
    );
  });

  test('that is bound to no agent may nothing', () => {
    for (const type of sendable('agent') as CommandType[])
      expect(reasonToForbid(principal('agent'), { type, target: OTHER, data: { agentId: OTHER } })).not.toBeNull();
  });
});
