// `npm run stores [-- words]`: the storages, and uploads of real browsers, against a real S3 server, on the built
// files. Words choose test files whose names hold them.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT_NAME, startRadosgw } from './radosgw.mjs';

const folder = fileURLToPath(new URL('.', import.meta.url));
const words = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));

/** Ceph runs on Linux only: elsewhere Miniflare's R2 must do, in the unit tests. */
if (process.platform !== 'linux' && !process.env['CI']) {
  console.log('stores: skipped, there is no Ceph for this machine');
} else if (files.length === 0) {
  console.error('no test matches');
  process.exitCode = 1;
} else {
  try {
    const { close, ...radosgw } = await startRadosgw();
    const args = [
      '--test',
      '--test-concurrency=1',
      '--test-reporter=spec',
      ...files.map((name) => folder + name),
    ];
    const env = { ...process.env, [ENVIRONMENT_NAME]: JSON.stringify(radosgw) };
    const child = spawn(process.execPath, args, { stdio: 'inherit', env });
    // Ctrl+C reaches the child as well; its code is ours.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill());
    process.exitCode = await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
    await close();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
