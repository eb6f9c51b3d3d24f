import { z } from 'zod';

/** What of an agent's behaviour a profile may set by itself, whatever its own flags are called. */
export const agentOptionsSchema = z.strictObject({
  model: z
    .string()
    .regex(/^[A-Za-z0-9][\w.:/@[\]-]{0,199}$/)
    .nullable()
    .default(null)
    .describe("as the agent names it; null: the agent's own choice"),
  permissionMode: z
    .string()
    .regex(/^[A-Za-z][\w-]{0,39}$/)
    .nullable()
    .default(null)
    .describe('what it may do without asking, as it names that; null: edit files'),
  allowedTools: z
    .array(z.string().regex(/^[A-Za-z][^,\r\n]{0,199}$/, 'a tool as the agent names it, without a comma'))
    .max(100)
    .default([])
    .describe('tools that it may use without asking, such as Bash(npm test:*)'),
  maxTurns: z.int().min(1).max(10_000).nullable().default(null).describe('null: no limit but its time'),
  maxUsd: z.number().positive().max(10_000).nullable().default(null).describe('for one start; null: no limit here'),
});
type AgentOption = keyof z.infer<typeof agentOptionsSchema>;

/** The agents that are known by name: their executable, and which options they have a flag for. */
const KNOWN = {
  command: { executable: null, options: [] },
  'claude-code': { executable: 'claude', options: ['model', 'permissionMode', 'allowedTools', 'maxTurns', 'maxUsd'] },
  codex: { executable: 'codex', options: ['model', 'permissionMode'] },
  'gemini-cli': { executable: 'gemini', options: ['model', 'permissionMode', 'allowedTools'] },
  aider: { executable: 'aider', options: ['model'] },
} as const satisfies Record<string, { executable: string | null; options: readonly AgentOption[] }>;

type AgentProfileName = keyof typeof KNOWN;
export const agentProfileNames = Object.keys(KNOWN) as [AgentProfileName, ...AgentProfileName[]];

/** The program of a profile, as its maker names it; null: it has none of its own. */
export const executableOf = (profile: AgentProfileName): string | null => KNOWN[profile].executable;

type Profiled = {
  readonly profile: AgentProfileName;
  readonly command?: string[] | undefined;
  readonly output: string;
  readonly options: z.infer<typeof agentOptionsSchema>;
};

/** The same agent with the command that its profile begins with; what its profile cannot do is a fault. */
export function withProfile<Agent extends Profiled>(
  agent: Agent,
  context: Pick<z.core.$RefinementCtx, 'addIssue'>,
): Omit<Agent, 'command'> & { command: string[] } {
  const { executable, options } = KNOWN[agent.profile];
  const fault = (path: readonly string[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...path], message });
  if (executable === null && agent.command === undefined)
    fault(['command'], 'name a command, or a profile that has one');
  if (executable !== null && agent.output !== 'text') fault(['output'], `the profile "${agent.profile}" reads its own`);
  for (const [name, value] of Object.entries(agent.options)) {
    const isSet = Array.isArray(value) ? value.length > 0 : value !== null;
    if (isSet && !options.some((known) => known === name))
      fault(['options', name], `the profile "${agent.profile}" has no flag for it`);
  }
  return { ...agent, command: agent.command ?? [executable ?? ''] };
}
