import cliProgress from 'cli-progress';
import type { Terminal } from './terminal.js';

export interface Progress {
  /** @param total as far as it is known. */
  update(done: number, total: number, text: string): void;
  /** Leaves the terminal as it was. */
  stop(): void;
}

/** A bar on stderr where somebody watches; else nothing. */
export function startProgress(terminal: Terminal, label: string): Progress {
  if (!terminal.isWatched) return { update: () => undefined, stop: () => undefined };
  const bar = new cliProgress.SingleBar({
    format: `${label} {bar} {value}/{total}  {text}`,
    barCompleteChar: '━',
    barIncompleteChar: '─',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    // Ours has its own way to end.
    gracefulExit: false,
    etaBuffer: 100,
    stream: process.stderr,
  });
  bar.start(0, 0, { text: '' });
  return {
    update(done, total, text) {
      bar.setTotal(total);
      bar.update(done, { text });
    },
    stop: () => bar.stop(),
  };
}
