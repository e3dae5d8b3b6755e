/** Something was waited for as long as it may take, and longer is not waited. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';

  /** @param what a name of ours, such as that of a hook. */
  constructor(what: string, millis: number) {
    super(`${what} took over ${millis} ms`);
  }
}

/**
 * Runs `task` and waits no longer than `millis` for it. What it has begun goes on: nothing can stop it, and nobody
 * hears of it any more.
 *
 * @throws {DeadlineError} when it takes longer; else whatever `task` throws or rejects with.
 */
export async function within<T>(millis: number, what: string, task: () => T | Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const running = task();
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new DeadlineError(what, millis)), millis);
    });
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}
