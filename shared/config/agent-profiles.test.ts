import { describe, expect, test } from 'vitest';
import { agentSchema } from './schema.ts';

const faultsOf = (agent: object): string[] =>
  (agentSchema.safeParse({ name: 'one', ...agent }).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

describe('an agent of the configuration', () => {
  test('has the command of its profile, unless it names another', () => {
    expect(agentSchema.parse({ name: 'one', profile: 'gemini-cli' }).command).toEqual(['gemini']);
    expect(agentSchema.parse({ name: 'one', profile: 'codex', command: ['/opt/codex'] }).command).toEqual([
      '/opt/codex',
    ]);
    expect(agentSchema.parse({ name: 'one', command: ['my-agent'] }).profile).toBe('command');
  });

  test('needs a command where it has no profile', () => {
    expect(faultsOf({})).toEqual(['command: name a command, or a profile that has one']);
  });

  test('sets nothing that its profile has no flag for', () => {
    expect(faultsOf({ profile: 'codex', options: { maxTurns: 5, allowedTools: ['Edit'] } })).toEqual([
      'options.allowedTools: the profile "codex" has no flag for it',
      'options.maxTurns: the profile "codex" has no flag for it',
    ]);
    expect(faultsOf({ command: ['my-agent'], options: { model: 'm' } })).toHaveLength(1);
    expect(faultsOf({ profile: 'claude-code', output: 'claude-json' })).toEqual([
      'output: the profile "claude-code" reads its own',
    ]);
  });

  test.each([
    { model: '--help' },
    { permissionMode: '-x' },
    { allowedTools: ['--mcp-config'] },
    { allowedTools: ['Edit,Bash'] },
    { maxTurns: 0 },
  ])('has no option that would be another flag: %j', (options) => {
    expect(faultsOf({ profile: 'claude-code', options })).toHaveLength(1);
  });
});
