/** Exit codes, for scripts: they mean the same in every command. */
export const EXIT = {
  /** All went well. */
  fine: 0,
  /** Something is wrong with what was looked at, or part of the work failed. */
  wrong: 1,
  /** The command line or the environment cannot be used; nothing was done. */
  usage: 2,
  /** Ctrl+C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a command ends with when it cannot go on: one line that says what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, options: { exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.exitCode = options.exitCode ?? EXIT.wrong;
  }
}

/** The command line or the environment is at fault. */
export function usageError(message: string): CliError {
  return new CliError(message, { exitCode: EXIT.usage });
}

/** What went wrong, in one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] || 'something went wrong';
}
