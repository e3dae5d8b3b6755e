// `node edge-runtime-server.mjs {file}`: Vercel's edge-runtime with its own server.
import { readFileSync } from 'node:fs';
import { EdgeRuntime, runServer } from 'edge-runtime';

const runtime = new EdgeRuntime({ initialCode: readFileSync(String(process.argv[2]), 'utf8') });
const server = await runServer({ runtime, host: '127.0.0.1', port: 0 });
console.log(`port ${new URL(server.url).port}`);
