import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/**
 * Runs `spandrel view`, on a folder or with the flags and the environment that name a bucket, and looks for what is new
 * each second.
 *
 * @param workingFolder where a project's packages are that the command may find, such as DuckDB.
 */
export async function startView(
  target: string | { flags: string[]; env: Record<string, string> },
  workingFolder: string = process.cwd(),
): Promise<{ url: string; close(): Promise<void> }> {
  const { flags, env } = typeof target === 'string' ? { flags: [target], env: {} } : target;
  const child = spawn(process.execPath, [CLI, 'view', ...flags, '--interval', '1'], {
    cwd: workingFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
    // Playwright asks its children for colours.
    env: { PATH: process.env['PATH'], ...env },
  });
  let url = '';
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    url = /http:\S+/.exec(line)?.[0] ?? url;
    if (/Ctrl\+C/.test(line)) break;
  }
  return {
    url,
    async close() {
      const exited = once(child, 'exit');
      child.kill('SIGINT');
      await exited;
    },
  };
}
