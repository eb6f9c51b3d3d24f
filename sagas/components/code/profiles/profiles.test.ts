import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { agentSchema } from '@workledger/shared/config/schema.ts';
import { recorded, RECORDED_SESSION } from '@workledger/infra/testing/agents/recorded.ts';
import { profileOf } from './profiles.ts';

const agentOf = (profile: string, more: object = {}) => agentSchema.parse({ name: 'one', profile, ...more });
type Name = keyof typeof recorded;

function judge(profile: Name, lines: readonly string[], exitCode = 0, said = '') {
  const [stdout, stderr] = [Buffer.from(`${lines.join('\n')}\n`), Buffer.from(said)];
  const problem = exitCode === 0 ? null : `exit code ${exitCode}`;
  return profileOf(agentOf(profile)).judge({ stdout, stderr, output: Buffer.concat([stdout, stderr]), problem });
}

const startOf = (profile: string, more: object, session: string | null = null) => {
  const agent = agentOf(profile, more);
  return profileOf(agent).command(agent, { session, promptFile: '/attempt/prompt.md' }).join(' ');
};

const names = Object.keys(recorded) as Name[];

test('a new session of Claude Code has the name that it is given; one that goes on has its own', () => {
  const agent = agentOf('claude-code');
  const start = { promptFile: '/prompt.md', name: 'of-the-call' };
  expect(
    profileOf(agent)
      .command(agent, { ...start, session: null })
      .slice(-2),
  ).toEqual(['--session-id', 'of-the-call']);
  const goingOn = profileOf(agent).command(agent, { ...start, session: 'of-before' });
  expect(goingOn.slice(-2)).toEqual(['--resume', 'of-before']);
  expect(goingOn).not.toContain('--session-id');
});

test.each(names)('%s names a public source of its format', (name) => {
  for (const source of recorded[name].sources) expect(source).toMatch(/^https:\/\//);
});

describe('what an agent printed that did its work', () => {
  test.each([
    ['claude-code', 0.0421, { turns: 3, tokens: { input: 10_000, output: 240 }, session: RECORDED_SESSION }],
    ['codex', null, { turns: 1, tokens: { input: 24_763, output: 122 }, session: RECORDED_SESSION }],
    ['gemini-cli', null, { turns: null, tokens: { input: 1_100, output: 150 }, session: RECORDED_SESSION }],
    ['aider', 0.0163, { turns: 2, tokens: { input: 7_500, output: 471 }, session: null }],
  ] as const)('counts, with its cost, turns, tokens and session: %s', (name, costUsd, told) => {
    expect(judge(name, recorded[name].good)).toMatchObject({ problem: null, costUsd, told });
  });

  test.each([
    ['claude-code', ['I look at add first.', 'Edit']],
    [
      'codex',
      ['**Looking for add**', 'Mend add', 'bash -lc ls', 'changes src/add.mjs', 'Run the tests', '`add` adds now.'],
    ],
    ['gemini-cli', ['I mend add.', 'replace', 'It adds now.']],
    [
      'aider',
      [
        'Tokens: 3.0k sent, 42 received. Cost: $0.0063 message, $0.0063 session.',
        'Tokens: 4.5k sent, 1.1k cache write, 429 received.',
        'Applied edit to src/add.mjs',
      ],
    ],
  ] as const)('can be followed line by line: %s', (name, expected) => {
    const { note } = profileOf(agentOf(name));
    expect(recorded[name].good.flatMap((line) => note(line)?.text ?? [])).toEqual(expected);
  });

  test('tells how much of its list is done: codex', () => {
    const { note } = profileOf(agentOf('codex'));
    expect(recorded.codex.good.flatMap((line) => note(line)?.percent ?? [])).toEqual([0, 50]);
  });

  test.each(names)('is judged among lines of another kind, and of none: %s', (name) => {
    const noise = ['{"type":"of tomorrow"}', '{"type":', 'null', '{"type":7}', 'Loaded cached credentials.'];
    const [last = ''] = recorded[name].good.slice(-1);
    const mixed = [...noise, ...recorded[name].good.slice(0, -1), ...noise, last];
    expect(judge(name, mixed)).toEqual(judge(name, recorded[name].good));
  });
});

describe('an agent that did not do its work', () => {
  test.each([
    ['claude-code', 'it used all its turns (60): raise --max-turns'],
    ['codex', 'its turn failed: stream disconnected before completion'],
    ['gemini-cli', 'it used all its turns: raise model.maxSessionTurns in its settings'],
    ['aider', 'its model did not answer: litellm.AuthenticationError: AuthenticationError: OpenAIException'],
  ] as const)('says why, and it is no limit: %s', (name, problem) => {
    const judged = judge(name, recorded[name].failed, recorded[name].failedExit);
    expect(judged.problem).toContain(problem);
    expect(judged).not.toHaveProperty('limit');
  });

  test('cost what it told: claude-code', () => {
    const { costUsd, told } = judge('claude-code', recorded['claude-code'].failed, 1);
    expect([costUsd, told.turns]).toEqual([1.25, 60]);
  });

  test.each(names)('met a limit of use, whatever its exit code: %s', (name) => {
    vi.useFakeTimers({ now: Date.parse('2026-11-29T12:00:00Z') });
    onTestFinished(() => void vi.useRealTimers());
    const until = {
      'claude-code': '2026-11-18T11:06:40.000Z',
      codex: '2026-12-02T18:57:00.000Z',
      'gemini-cli': '2026-11-29T20:36:13.000Z',
      aider: null,
    }[name];
    expect(judge(name, recorded[name].limited, recorded[name].limitedExit).limit).toEqual({ until });
  });

  test.each([
    ['codex', 'it completed no turn: Error: not logged in'],
    ['gemini-cli', 'it printed no result: Error: not logged in'],
    ['aider', 'exit code 1'],
  ] as const)('and printed nothing is told with what it said on standard error: %s', (name, problem) => {
    expect(judge(name, [], 1, 'Error: not logged in\n').problem).toBe(problem);
  });

  test('ended with another exit code than 0 after all, though its turn was completed: codex', () => {
    expect(judge('codex', recorded.codex.good, 2).problem).toBe('exit code 2');
  });

  test('reports a success without an answer: gemini-cli', () => {
    const { good } = recorded['gemini-cli'];
    const silent = good.filter((line) => !/"assistant"|"tool_use"/.test(line));
    expect(judge('gemini-cli', silent).problem).toBe('it did not answer');
  });

  test('answered after an error of its model, and counts: aider', () => {
    expect(judge('aider', [...recorded.aider.limited, ...recorded.aider.good]).problem).toBeNull();
  });

  test('was refused tools: that explains work that is missing: claude-code', () => {
    expect(judge('claude-code', recorded['claude-code'].good).hint).toMatch(/not allowed to use Bash 1/);
  });
});

describe('a command line', () => {
  const options = { model: 'm-1', permissionMode: 'plan', allowedTools: ['Edit', 'Bash(npm test:*)'] };

  test('is made of what the configuration says', () => {
    expect(startOf('claude-code', { options: { ...options, maxTurns: 60, maxUsd: 5 } })).toBe(
      'claude -p --output-format stream-json --verbose --strict-mcp-config --permission-mode plan ' +
        '--allowedTools Edit,Bash(npm test:*) --model m-1 --max-turns 60 --max-budget-usd 5',
    );
    expect(startOf('codex', { options: { model: 'm-1' } })).toBe(
      'codex exec --json --skip-git-repo-check --sandbox workspace-write --model m-1 -',
    );
    expect(startOf('gemini-cli', { options })).toBe(
      'gemini --output-format stream-json --approval-mode plan --allowed-tools Edit,Bash(npm test:*) --model m-1',
    );
    expect(startOf('aider', { options: { model: 'm-1' } })).toMatch(
      /^aider --yes-always .* --model m-1 --message-file \/attempt\/prompt\.md$/,
    );
    expect(startOf('command', { command: ['my-agent', '--fast'] })).toBe('my-agent --fast');
  });

  test('begins with the command, where one is named', () => {
    const command = ['npx', '@anthropic-ai/claude-code', '--mcp-config', 'x.json'];
    expect(startOf('claude-code', { command })).toMatch(/^npx @anthropic-ai\/claude-code --mcp-config x\.json -p /);
  });

  test('goes on with a session where the agent can', () => {
    expect(startOf('claude-code', {}, RECORDED_SESSION)).toMatch(new RegExp(` --resume ${RECORDED_SESSION}$`));
    expect(startOf('codex', {}, RECORDED_SESSION)).toMatch(new RegExp(` resume ${RECORDED_SESSION} -$`));
  });
});

test.each(['--dangerously', '$(reboot)', 'a b c d e f', '../../../etc', 'x'])(
  'what an agent calls its session stands on no command line, where it is none: %s',
  (session) => {
    const started = JSON.stringify({ type: 'thread.started', thread_id: session });
    expect(judge('codex', [started, ...recorded.codex.good.slice(1)]).told.session).toBeNull();
  },
);
