// `npm run e2e [arguments of playwright test]`: gets the browsers, then runs the suite on the built files.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBrowsers } from './browsers.mjs';
import { ensureFrameworks } from './tools.mjs';

try {
  ensureBrowsers();
  ensureFrameworks();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const cli = path.join(path.dirname(createRequire(import.meta.url).resolve('@playwright/test')), 'cli.js');
const config = fileURLToPath(new URL('../playwright.config.ts', import.meta.url));
const child = spawn(process.execPath, [cli, 'test', '-c', config, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// Ctrl+C reaches the child as well; its code is ours.
process.on('SIGINT', () => {});
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
