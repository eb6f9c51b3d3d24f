import { execFile } from 'node:child_process';

export type ProgramOutcome = {
  readonly ok: boolean;
  /** Standard output and standard error. */
  readonly output: string;
  /** There is no such program. */
  readonly missing: boolean;
};

const passedOn = ['PATH', 'HOME', 'LANG', 'JAVA_HOME', 'JAVA_TOOL_OPTIONS', 'MAVEN_OPTS', 'MAVEN_ARGS'];

/** What a program of Java gets of our environment: no secret of ours. */
export const javaEnvironment = (): Record<string, string> =>
  Object.fromEntries(passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));

/**
 * Runs a program to its end without a shell and keeps what it printed.
 * @param timeout milliseconds
 */
export function runProgram(program: string, args: readonly string[], timeout: number): Promise<ProgramOutcome> {
  return new Promise((resolve) => {
    const options = { env: javaEnvironment(), timeout, maxBuffer: 10_000_000 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const reason = error === null || stdout + stderr !== '' ? '' : error.message;
      resolve({
        ok: error === null,
        output: `${stdout}${stderr}${reason}`.trim(),
        missing: error !== null && 'code' in error && error.code === 'ENOENT',
      });
    });
  });
}
