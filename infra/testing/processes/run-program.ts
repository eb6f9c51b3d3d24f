import { spawn } from 'node:child_process';

/** Runs a program to its end. @returns its exit code, what it printed, and what it said on its error stream */
export function runProgram(
  program: string,
  args: readonly string[],
  cwd: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<{ exitCode: number | null; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const killWithUs = (): void => void child.kill('SIGTERM');
    process.once('exit', killWithUs);
    let output = '';
    let errors = '';
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
    child.once('error', reject);
    child.once('close', (exitCode) => {
      process.off('exit', killWithUs);
      resolve({ exitCode, output, errors });
    });
  });
}
