/**
 * What agents print, in the formats of their public sources; the work that they tell of is the test repository's. A profile without a
 * source here is none.
 */
type Recorded = {
  /** Where the format can be read. */
  readonly sources: readonly string[];
  readonly good: readonly string[];
  /** Ended by a limit of use; the exit code that goes with it. */
  readonly limited: readonly string[];
  readonly limitedExit: number;
  /** Failed for another reason. */
  readonly failed: readonly string[];
  readonly failedExit: number;
};

const lines = (...values: readonly object[]): string[] => values.map((value) => JSON.stringify(value));

const SESSION = '0199a213-81c0-7800-8aa1-bbab2a035a53';

const claudeInit = {
  ...{ type: 'system', subtype: 'init', session_id: SESSION, cwd: '/work', tools: ['Bash', 'Edit'], mcp_servers: [] },
  ...{ model: 'claude-sonnet-4-5', permissionMode: 'acceptEdits', apiKeySource: 'none', claude_code_version: '2.1.0' },
};
const claudeResult = {
  ...{ type: 'result', subtype: 'success', is_error: false, duration_ms: 4_200, duration_api_ms: 3_900, num_turns: 3 },
  ...{ result: 'add adds now.', stop_reason: 'end_turn', session_id: SESSION, total_cost_usd: 0.0421 },
  usage: { input_tokens: 12, cache_creation_input_tokens: 800, cache_read_input_tokens: 9_188, output_tokens: 240 },
  permission_denials: [{ tool_name: 'Bash', tool_use_id: 'toolu_2', tool_input: { command: 'npm test' } }],
};
const claudeSays = (...content: readonly object[]) => ({
  ...{ type: 'assistant', parent_tool_use_id: null, session_id: SESSION },
  message: { role: 'assistant', content, usage: { input_tokens: 4, output_tokens: 80 } },
});

const claudeCode: Recorded = {
  sources: [
    'https://docs.claude.com/en/docs/claude-code/headless',
    'https://github.com/anthropics/claude-code/issues/79500 (an error that ends like a success)',
    'https://github.com/anthropics/claude-code/issues/58591 (a session in another folder)',
  ],
  good: lines(
    claudeInit,
    claudeSays({ type: 'text', text: 'I look at add first.' }),
    claudeSays({ type: 'tool_use', id: 'toolu_1', name: 'Edit', input: { file_path: 'src/add.mjs' } }),
    {
      type: 'user',
      message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'ok' }] },
    },
    claudeResult,
  ),
  limited: lines(
    claudeInit,
    {
      type: 'rate_limit_event',
      rate_limit_info: { status: 'rejected', resetsAt: 1_795_000_000, rateLimitType: 'five_hour' },
    },
    { ...claudeResult, is_error: true, result: 'You’ve hit your limit · resets 3pm', total_cost_usd: 0 },
  ),
  limitedExit: 0,
  failed: lines(claudeInit, {
    ...{ type: 'result', subtype: 'error_max_turns', is_error: false, num_turns: 60, session_id: SESSION },
    ...{ total_cost_usd: 1.25, errors: [], permission_denials: [] },
  }),
  failedExit: 1,
};

const codexStarted = lines({ type: 'thread.started', thread_id: SESSION }, { type: 'turn.started' });

const codex: Recorded = {
  sources: [
    'https://github.com/openai/codex/blob/main/docs/exec.md',
    'https://github.com/openai/codex/blob/main/codex-rs/exec/src/exec_events.rs',
  ],
  good: [
    ...codexStarted,
    ...lines(
      { type: 'item.completed', item: { id: 'item_0', type: 'reasoning', text: '**Looking for add**' } },
      {
        type: 'item.started',
        item: {
          id: 'item_1',
          type: 'todo_list',
          items: [
            { text: 'Mend add', completed: false },
            { text: 'Run the tests', completed: false },
          ],
        },
      },
      {
        type: 'item.started',
        item: {
          id: 'item_2',
          type: 'command_execution',
          command: 'bash -lc ls',
          aggregated_output: '',
          exit_code: null,
          status: 'in_progress',
        },
      },
      {
        type: 'item.completed',
        item: {
          id: 'item_3',
          type: 'file_change',
          changes: [{ path: 'src/add.mjs', kind: 'update' }],
          status: 'completed',
        },
      },
      {
        type: 'item.updated',
        item: {
          id: 'item_1',
          type: 'todo_list',
          items: [
            { text: 'Mend add', completed: true },
            { text: 'Run the tests', completed: false },
          ],
        },
      },
      { type: 'item.completed', item: { id: 'item_4', type: 'agent_message', text: '`add` adds now.' } },
      { type: 'turn.completed', usage: { input_tokens: 24_763, cached_input_tokens: 24_448, output_tokens: 122 } },
    ),
  ],
  limited: [
    ...codexStarted,
    ...['error', 'turn.failed'].map((type) => {
      const message = "You've hit your usage limit. To get more access now, try again in 3 days 6 hours 57 minutes.";
      return JSON.stringify(type === 'error' ? { type, message } : { type, error: { message } });
    }),
  ],
  limitedExit: 1,
  failed: [
    ...codexStarted,
    ...lines(
      { type: 'error', message: 'Reconnecting... 1/5' },
      { type: 'turn.failed', error: { message: 'stream disconnected before completion' } },
    ),
  ],
  failedExit: 1,
};

const at = { timestamp: '2026-11-29T12:00:00.000Z' };
const geminiStats = {
  ...{ total_tokens: 1_250, input_tokens: 1_100, output_tokens: 150, cached: 0, input: 1_100 },
  ...{ duration_ms: 3_000, tool_calls: 1, models: {} },
};
const geminiBegun = lines(
  { type: 'init', ...at, session_id: SESSION, model: 'gemini-2.5-pro' },
  { type: 'message', ...at, role: 'user', content: 'Fix add' },
);

const geminiCli: Recorded = {
  sources: [
    'https://github.com/google-gemini/gemini-cli/blob/main/packages/core/src/output/types.ts',
    'https://github.com/google-gemini/gemini-cli/blob/main/packages/cli/src/__snapshots__/nonInteractiveCli.test.ts.snap',
    'https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/headless.md (exit codes)',
  ],
  good: [
    ...geminiBegun,
    ...lines(
      { type: 'message', ...at, role: 'assistant', content: 'I mend add.', delta: true },
      { type: 'tool_use', ...at, tool_name: 'replace', tool_id: 'tool-1', parameters: { file_path: 'src/add.mjs' } },
      { type: 'tool_result', ...at, tool_id: 'tool-1', status: 'success', output: 'ok' },
      { type: 'message', ...at, role: 'assistant', content: 'It adds now.', delta: true },
      { type: 'result', ...at, status: 'success', stats: geminiStats },
    ),
  ],
  limited: [
    ...geminiBegun,
    ...lines({
      ...{ type: 'result', ...at, status: 'error', stats: { ...geminiStats, total_tokens: 0 } },
      error: {
        type: 'TerminalQuotaError',
        message: 'You have exhausted your capacity on this model. Your quota will reset after 8h36m13s.',
      },
    }),
  ],
  limitedExit: 1,
  failed: geminiBegun,
  failedExit: 53,
};

const aiderBegun = [
  'Aider v0.86.2',
  'Model: openai/chat-strong with diff edit format',
  'Git repo: .git with 4 files',
  'Repo-map: using 4096 tokens, auto refresh',
  '',
];

const aider: Recorded = {
  sources: [
    'https://aider.chat/docs/scripting.html',
    'https://github.com/Aider-AI/aider/issues/2491 (what it tells of tokens and cost)',
    'https://github.com/Aider-AI/aider/issues/3918 (exit code 0 where its model refused)',
  ],
  good: [
    ...aiderBegun,
    'Tokens: 3.0k sent, 42 received. Cost: $0.0063 message, $0.0063 session.',
    'src/add.mjs',
    'Tokens: 4.5k sent, 1.1k cache write, 429 received.',
    'Cost: $0.01 message, $0.0163 session. Use --no-stream for accurate caching costs.',
    'Applied edit to src/add.mjs',
  ],
  limited: [
    ...aiderBegun,
    'litellm.RateLimitError: AnthropicException - b\'{"type":"error","error":{"type":"rate_limit_error"}}\'',
    'The API provider has rate limited you. Try again later or check your quotas.',
    'Retrying in 32.0 seconds...',
  ],
  limitedExit: 0,
  failed: [
    ...aiderBegun,
    'litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided',
    'The API provider is not able to authenticate you. Check your API key.',
  ],
  failedExit: 0,
};

/** By profile. */
export const recorded = { 'claude-code': claudeCode, codex, 'gemini-cli': geminiCli, aider };
export const RECORDED_SESSION = SESSION;
