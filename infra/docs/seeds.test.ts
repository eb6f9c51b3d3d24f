import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync(new URL('./guides/seeds.md', import.meta.url), 'utf8');
const rows = page.split('\n').flatMap((line) => {
  const [, there, here] = line.startsWith('|') ? line.split(/(?<!\\)\|/) : [];
  return there === undefined || here === undefined || /^ -+ $/.test(there) ? [] : [{ there, here: here.trim() }];
});

const tools = (family: string, ...names: readonly string[]): string[] => names.map((name) => `vibe_${family}_${name}`);

/** What the APIs of systems before call theirs. */
const names = {
  'of an orchestrator of evolution': [
    ...['Codegen', 'evolution', 'WebSocket', 'API key', 'JWT', 'OAuth 2', '100 evolutions', '1,000 status queries'],
    ...['circuit breaker', 'queue', 'every 30 s', 'Prometheus', 'Linear'],
  ],
  'of a task manager and its webhooks': [
    ...['GET /tasks', 'POST /tasks', 'GET /tasks/{taskId}', 'PUT /tasks/{taskId}', 'DELETE /tasks/{taskId}'],
    ...['GET /agents', 'POST /webhooks/github', 'completed'],
  ],
  'of tools for agents': [
    ...tools('agent', 'register', 'status', 'list', 'deregister'),
    ...tools('issue', 'create', 'list', 'assign', 'update', 'close'),
    ...tools('worker', 'message', 'request', 'coordinate'),
    ...['vibe_project_lock', 'vibe_resource_reserve', 'vibe_dependency_declare', 'vibe_coordinator_request_worker'],
    ...['vibe_work_coordinate', 'vibe_schedule_coordinate', 'vibe_merge_coordinate'],
    ...tools('conflict', 'resolve', 'predict'),
    ...['vibe_knowledge_query', 'vibe_learning_capture', 'vibe_pattern_suggest', 'vibe_guideline_enforce'],
    ...tools('workspace', 'create', 'list', 'assign', 'status', 'cleanup'),
  ],
  'of its REST, its live events and its resources': [
    ...['/api/health', '/api/stats', '/api/agents', '/api/agents/:id', '/api/issues', '/api/issues/:id', '/ws'],
    ...['', '/:id', '/conversations', '/search', '/analytics', '/thread/:correlation_id'].map(
      (path) => `/api/messages${path}`,
    ),
    ...['AgentStatusChanged', 'IssueCreated', 'IssueStatusChanged', 'MessageReceived', 'SystemNotification'],
    ...['agents', 'agents/online', 'coordinators', 'workers', 'issues', 'knowledge'].map((name) => `vibe://${name}`),
    ...['Initialize', 'ListResources', 'ReadResource', 'Subscribe', 'CallTool', 'coordinator_prompt', 'worker_prompt'],
  ],
  'of its later version': [
    ...['create', 'list', 'get', 'update', 'delete'].flatMap((verb) => [
      `${verb}_${verb === 'list' ? 'projects' : 'project'}`,
      `${verb}_${verb === 'list' ? 'worker_types' : 'worker_type'}`,
    ]),
    ...['create_ticket', 'get_ticket', 'list_tickets', 'close_ticket', 'add_ticket_comment'],
    ...['resume_ticket_processing', 'add_ticket_dependency', 'remove_ticket_dependency', 'get_dependency_graph'],
    ...['list_ready_tickets', 'list_blocked_tickets', 'get_tickets_by_stage', 'list_events', 'resolve_event'],
    ...['get_permission_model', 'list_worker_templates', 'load_worker_template', 'ensure_worker_templates'],
    ...['configure_jbct_for_project', 'check_jbct_updates', '/api/projects', '/sse'],
  ],
  'of autonomous and collaborative services': [
    ...['/api/v1/autonomous/ai/route', '/api/v1/autonomous/{errors,performance,security}', 'SystemEvent'],
    ...['mcp', 'workflows', 'sync', 'protocol'].map((name) => `/api/v1/collaborative/${name}`),
  ],
};

test.each(Object.entries(names))("the page of other systems' APIs has a row for each name %s", (_, wanted) => {
  const missing = wanted.filter((name) => !rows.some(({ there }) => isNamed(name, there)));
  expect(missing).toEqual([]);
});

test('each row says what it is here, or that it is not there, and why', () => {
  expect(rows.filter(({ here }) => here === '' || here === 'not there').map(({ there }) => there)).toEqual([]);
});

/** As a whole: what a longer name begins with is another name. */
const isNamed = (name: string, cell: string): boolean =>
  new RegExp(`(?<![\\w/])${name.replaceAll(/[{}.*+?^$()|[\]\\]/g, '\\$&')}(?![\\w/])`).test(cell);
