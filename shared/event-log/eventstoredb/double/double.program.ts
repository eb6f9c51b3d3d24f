import { startControl } from './control.ts';
import { startDoubleServer } from './server.ts';

// The double as a process: [port]. Prints one line of JSON, and ends with whoever started it.
const [port = '0'] = process.argv.slice(2);
const double = await startDoubleServer({ port: Number(port) });
const control = await startControl(double);
process.stdout.write(`${JSON.stringify({ connectionString: double.connectionString, control: control.url })}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
