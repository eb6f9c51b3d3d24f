import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { NoAnswer, NotAccepted, type Client } from '@workledger/shared/client/client.ts';
import type { Settings } from '../../testing/system/engine.ts';
import { until } from '../../testing/processes/until.ts';

export type StartedRun = { readonly id: string; readonly mark: string; readonly breaks: boolean };
/** A run among agents: the one of them that takes part is told once. */
export type RunAmong = { readonly id: string; readonly mark: string; readonly participant: string };

const WORKFLOWS = '/collaborative/workflows';

const made = { $from: '/steps/made/result/id' };
const mark = { $from: '/inputs/mark' };

/** One of each kind of step; on its way it is undone where `breaks` is given. */
const definitionOf = (child: string, host: string) => ({
  name: `every kind of step ${randomUUID()}`,
  inputs: { mark: { type: 'string' }, breaks: { type: 'boolean' } },
  steps: [
    {
      ...{ kind: 'command', id: 'made', command: 'issue.create', data: { title: mark } },
      compensation: { kind: 'command', command: 'issue.close', target: made, data: { reason: mark } },
    },
    { kind: 'timer', id: 'rest', after: ['made'], seconds: 1 },
    { kind: 'call', id: 'called', after: ['made'], component: 'http.request', request: { url: `http://${host}/called`, body: mark }, retry: { attempts: 9 } }, // prettier-ignore
    { kind: 'workflow', id: 'sub', after: ['made'], workflow: child, inputs: { mark } },
    { kind: 'approval', id: 'asked', after: ['rest'], askee: { kind: 'role', role: 'admin' }, text: mark },
    { kind: 'command', id: 'said', after: ['asked', 'called', 'sub'], command: 'comment.create', data: { issueId: made, body: mark } }, // prettier-ignore
    { kind: 'command', id: 'begun', after: ['said'], command: 'issue.change', target: made, data: { labels: [mark] } },
    { kind: 'wait', id: 'heard', after: ['begun'], events: ['workledger.issue.IssueDetailsChanged'], of: made },
    { kind: 'choice', id: 'which', after: ['heard'], cases: [{ choice: 'breaks', when: 'inputs.breaks' }], otherwise: 'ends' }, // prettier-ignore
    { kind: 'call', id: 'broken', after: [{ step: 'which', choice: 'breaks' }], component: 'http.request', request: { url: `http://${host}/broken`, body: mark } }, // prettier-ignore
  ],
});

const amongAgents = {
  name: 'among agents',
  steps: [
    { kind: 'timer', id: 'rest', seconds: 1 },
    {
      ...{ kind: 'command', id: 'tell', after: ['rest'], command: 'message.send' },
      data: {
        to: { kind: 'participant', participant: { $from: '/inputs/participants/0' } },
        subject: { $from: '/inputs/mark' },
      },
    },
  ],
};

/** Runs of a workflow that has every kind of step, a server that they call, and somebody who approves. */
export async function createWorkflowDay() {
  const called = new Map<string, Set<unknown>>();
  const mended = new Set<string>();
  const server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const part of request) body += String(part);
      const ofMark = String(JSON.parse(body));
      const isBroken = request.url === '/broken' && !mended.has(ofMark);
      if (request.url === '/called')
        called.set(ofMark, new Set(called.get(ofMark)).add(request.headers['idempotency-key']));
      response.writeHead(isBroken ? 422 : 200, { 'content-type': 'application/json' }).end('{}');
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings: Settings = { workflows: { allowHosts: [host] }, outbound: { privateHosts: [host] } };
  const runs: StartedRun[] = [];
  const among: RunAmong[] = [];
  /** Ids of the workflows that were defined by themselves. */
  const defined: string[] = [];
  const done = new AbortController();

  async function approve(client: Client): Promise<void> {
    while (!done.signal.aborted) {
      try {
        for await (const { id } of client.list<{ id: string }>('/questions?state=open'))
          await client.send('POST', `/questions/${id}/answer`, { body: { choice: 'approve' } });
      } catch (error) {
        if (!(error instanceof NoAnswer || error instanceof NotAccepted || error instanceof SyntaxError)) throw error;
      }
      await pause(250);
    }
  }

  /** The last that happened to it of what ends it, or takes it up again. */
  const endOf = async (client: Client, id: string): Promise<string | undefined> =>
    (await client.stream(`workflow-run-${id}`)).findLast(({ type }) => /Completed|Failed|Retried/.test(type))?.type;

  return {
    ...{ settings, runs, among, defined, called },
    /** Answers a function that starts so many runs, every other one of which breaks, and one among agents. */
    open: async (client: Client): Promise<(count: number) => Promise<void>> => {
      const make = async (body: object): Promise<string> => {
        const { id } = await client.expect2xx('POST', WORKFLOWS, { body });
        defined.push(id);
        return id;
      };
      const agent = await client.expect2xx('POST', '/agents', { body: { name: 'participant' } });
      const participant = `agent:${agent.id}`;
      const child = await make({
        name: `a child ${randomUUID()}`,
        inputs: { mark: { type: 'string' } },
        steps: [{ kind: 'command', id: 'made', command: 'issue.create', data: { title: { $cel: '"child of " + inputs.mark' } } }], // prettier-ignore
      });
      const workflow = await make(definitionOf(child, host));
      void approve(client);
      return async (count) => {
        for (let number = 0; number < count; number++) {
          const inputs = { mark: `run ${randomUUID()}`, breaks: number % 2 === 1 };
          const { id } = await client.expect2xx('POST', `/workflows/${workflow}/runs`, { body: { inputs } });
          runs.push({ id, ...inputs });
        }
        const context = { mark: `among ${randomUUID()}` };
        const body = { workflow_definition: amongAgents, context, participants: [participant] };
        const { id } = await client.expect2xx('POST', '/collaborative/mcp', { body });
        among.push({ id, ...context, participant });
      };
    },
    /** Takes up again what broke until now: from here on it can be done. */
    takeUp: async (client: Client): Promise<void> => {
      for (const { id, mark } of runs.filter((run) => run.breaks && !mended.has(run.mark))) {
        if ((await endOf(client, id)) !== 'WorkflowRunFailed') continue;
        mended.add(mark);
        await client.expect2xx('POST', `/workflow-runs/${id}/retry`, { body: {} });
      }
    },
    /** Waits for the end of every run. @returns how each ended, by its id */
    ended: async (client: Client): Promise<ReadonlyMap<string, string>> => {
      const ends = new Map<string, string>();
      for (const { id } of [...runs, ...among])
        await until(`run ${id} to end`, async () => {
          const last = (await endOf(client, id)) ?? '';
          return /Completed|Failed/.test(last) && ends.set(id, last);
        });
      return ends;
    },
    stop: () => {
      done.abort();
      server.close();
    },
  };
}
