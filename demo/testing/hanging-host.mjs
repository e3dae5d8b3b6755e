// Run by start.test.mjs in a process of its own: a host with requests under way, closed on SIGUSR2. A file, because
// Miniflare's worker threads inherit `--input-type` and hang where the program is given as text.
import { startHost } from '../host.mjs';

const host = await startHost();
await fetch(`${host.origin}/api/products`);
const events = await fetch(`${host.origin}/viewer/api/events`);
const stalled = events.text().catch(() => undefined);
host.mock.faults.set('endpoint', { kind: 'hang' });
const hanging = fetch(`${host.origin}/spandrel`, { method: 'POST', body: '{}' }).catch(() => undefined);
while (host.mock.requests.list().length === 0) await new Promise(setImmediate);
const asked = new Promise((resolve) => process.once('SIGUSR2', resolve));
console.log('up');
await asked;
await host.close();
await Promise.all([stalled, hanging, host.close()]);
console.log('closed');
