import pc from 'picocolors';

/** Where a command writes: results to stdout, talk to stderr, so that results can be piped. */
export interface Terminal {
  /** True where the result is to be one JSON document, and nothing else, on stdout. */
  readonly json: boolean;
  /** Colours for stdout. */
  readonly colours: Colours;
  /** Colours for stderr. */
  readonly talkColours: Colours;
  /** Whether somebody watches stderr, for what moves. */
  readonly isWatched: boolean;
  /** Columns of stdout, 80 where that is not known. */
  readonly columns: number;
  /** A line of the result; not with `json`. */
  say(line?: string): void;
  /** The result, with `json`. */
  document(value: unknown): void;
  /** A line beside the result. */
  talk(line: string): void;
  /** Never to be printed by anything above. */
  hide(secret: string | undefined): void;
}

export type Colours = ReturnType<typeof pc.createColors>;

/** What of a stream is needed here. */
export interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface TerminalOptions {
  stdout: Output;
  stderr: Output;
  env: Record<string, string | undefined>;
  json: boolean;
}

/** A secret shorter than this may be a word of the text around it. */
const MIN_SECRET_CHARS = 6;

/** @see https://no-color.org and https://force-color.org */
export function wantsColour(env: TerminalOptions['env'], output: Output): boolean {
  if (env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

export function createTerminal({ stdout, stderr, env, json }: TerminalOptions): Terminal {
  const secrets: string[] = [];
  const shown = (text: string): string => {
    let clean = text;
    for (const secret of secrets) clean = clean.replaceAll(secret, '[secret]');
    return clean;
  };
  return {
    json,
    colours: pc.createColors(wantsColour(env, stdout)),
    talkColours: pc.createColors(wantsColour(env, stderr)),
    isWatched: stderr.isTTY === true && env['TERM'] !== 'dumb' && !json,
    columns: stdout.columns ?? 80,
    say(line = '') {
      if (!json) stdout.write(`${shown(line)}\n`);
    },
    document(value) {
      if (json) stdout.write(`${shown(JSON.stringify(value, null, 2))}\n`);
    },
    talk(line) {
      stderr.write(`${shown(line)}\n`);
    },
    hide(secret) {
      if (secret === undefined || secret.length < MIN_SECRET_CHARS) return;
      // As it stands, in JSON, and in a URL.
      secrets.push(secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret));
    },
  };
}
