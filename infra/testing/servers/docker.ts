import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

let asked: Promise<boolean> | undefined;

/** Whether a Docker engine answers here. Asked once a process, for at most 5 s; where none does, one line says what is skipped. */
export async function dockerAnswers(skipped: string): Promise<boolean> {
  asked ??= promisify(execFile)('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 }).then(
    () => true,
    () => false,
  );
  const answers = await asked;
  if (!answers) process.stderr.write(`${skipped} skipped: no Docker engine answers\n`);
  return answers;
}
