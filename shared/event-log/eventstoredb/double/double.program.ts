import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isFault } from './faults.ts';
import { type DoubleServer, startDoubleServer } from './server.ts';

/** How another process tells the double what is to go wrong: `POST /<fault>`, `GET /counts`. @returns its address */
async function startControl(double: DoubleServer): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    const act = async (): Promise<void> => {
      if (request.method === 'GET' && name === 'counts') {
        response.end(JSON.stringify(await double.counts()));
        return;
      }
      const known = request.method === 'POST' && isFault(name);
      if (known) await double.fault(name);
      response.writeHead(known ? 204 : 404).end();
    };
    act().catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

// The double as a process: [port]. Prints one line of JSON, and ends with whoever started it.
const [port = '0'] = process.argv.slice(2);
const double = await startDoubleServer({ port: Number(port) });
const control = await startControl(double);
process.stdout.write(`${JSON.stringify({ connectionString: double.connectionString, control: control.url })}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
