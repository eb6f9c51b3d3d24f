// Starts the embedded server as a program of its own, which a test may kill. Arguments: one JSON object of options, with `user`
// to become an ordinary user first. Prints one JSON line: { url, pid }, or { error } and exit code 1. Ends in order when its
// standard input closes.
import { startEmbeddedPostgres } from '../../local/postgres/embedded-postgres.ts';

const { user, ...options } = JSON.parse(process.argv[2] ?? '') as {
  folder: string;
  native?: string;
  user?: { uid: number; gid: number };
};
if (user !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(user.gid);
  process.setuid?.(user.uid);
}
try {
  const server = await startEmbeddedPostgres({ ...options, log: (line) => console.error(line) });
  console.log(JSON.stringify({ url: server.url, pid: server.pid }));
  for await (const _ of process.stdin);
  await server.stop();
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
  process.exitCode = 1;
}
