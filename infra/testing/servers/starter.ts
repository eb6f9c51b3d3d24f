import { startProgram } from '../processes/program.ts';

/** What a starter said of the server that it started, or why it did not. */
export type Starter = {
  /** PostgreSQL's and the gateway's. */
  readonly url: string;
  /** Kafka's. */
  readonly brokers: string;
  /** The server's, not the starter's. */
  readonly pid: number;
  readonly error: string;
  /** SIGKILL to the starter alone: the server goes on. */
  kill(): Promise<void>;
  /** Lets it stop in order. */
  end(): Promise<void>;
};

/** Runs `<server>-starter.program.ts`, which a test may kill, until it has said that the server runs, or why not. */
export async function runStarter(
  server: 'postgres' | 'kafka' | 'gateway',
  argument: string | object,
  environment: Readonly<Record<string, string>> = {},
): Promise<Starter> {
  const program = startProgram(
    `infra/testing/servers/${server}-starter.program.ts`,
    [typeof argument === 'string' ? argument : JSON.stringify(argument)],
    { environment: { ...process.env, ...environment }, reads: true },
  );
  const [, line = ''] = await program.until(/^(\{.*\})\n/m);
  const said = JSON.parse(line) as Partial<Pick<Starter, 'url' | 'brokers' | 'pid' | 'error'>>;
  return {
    ...{ url: '', brokers: '', pid: 0, error: '', ...said },
    kill: () => program.end('SIGKILL'),
    end: async () => {
      program.tell(null);
      await program.ended;
    },
  };
}
