import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { aider } from './aider.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import { anyCommand, claudeJson } from './command.ts';
import { geminiCli } from './gemini-cli.ts';
import type { Profile } from './profile.ts';

const profiles: Readonly<Record<AgentConfiguration['profile'], Profile>> = {
  command: anyCommand,
  'claude-code': claudeCode,
  codex,
  'gemini-cli': geminiCli,
  aider,
};

/** How this agent is started, followed and judged. */
export const profileOf = ({ profile, output }: Pick<AgentConfiguration, 'profile' | 'output'>): Profile =>
  profile === 'command' && output === 'claude-json' ? claudeJson : profiles[profile];
