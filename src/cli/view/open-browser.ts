import { spawn } from 'node:child_process';

/** Opens a URL that we made ourselves in the user's browser; where there is none, nothing happens. */
export function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '""', url]
        : ['xdg-open', url];
  const child = spawn(command as string, args, { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
