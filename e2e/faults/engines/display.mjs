import { spawn } from 'node:child_process';

/**
 * An X display that nobody looks at.
 *
 * @returns {Promise<{ name: string, close(): void }>}
 */
export async function startDisplay() {
  // It picks a free number and writes it to the descriptor.
  const args = ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'];
  const child = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  const number = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error('Xvfb ended')));
    child.stdio[3]?.once('data', (/** @type {Buffer} */ line) => resolve(line.toString().trim()));
  });
  return {
    name: `:${number}`,
    close() {
      process.off('exit', end);
      end();
    },
  };
}
