import { rightGreet } from './shell-repository.ts';

/** Configures an agent that is a few lines of shell. */
export const scriptAgent = (name: string, script: string, more: Readonly<Record<string, unknown>> = {}) => ({
  name,
  command: ['/bin/sh', '-c', script],
  capabilities: [name],
  limits: { timeoutSeconds: 30 },
  ...more,
});

/** Shell that does the work right. */
export const writeRightGreet = `cat > bin/greet <<'END'\n${rightGreet}END\n`;
