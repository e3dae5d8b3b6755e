/** Commander, and what all commands have in common. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CliError, EXIT, type ExitCode, messageOf } from './failure.js';
import { createTerminal, type Output, type Terminal } from './terminal.js';

export { type Command, CommanderError, InvalidArgumentError, Option };

/** The process, as far as commands know it. */
export interface World {
  env: Record<string, string | undefined>;
  stdout: Output;
  stderr: Output;
  /** Runs `listener` at each Ctrl+C, or SIGTERM; returns what ends that. */
  onInterrupt(listener: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Puts a question to whoever sits at the terminal, and resolves with the answer; absent where nobody does. */
  ask?: ((question: string, signal: AbortSignal) => Promise<string>) | undefined;
}

/** What a command's action is given. */
export interface Session {
  terminal: Terminal;
  env: World['env'];
  /** Aborted by the first Ctrl+C; the second ends the process. */
  signal: AbortSignal;
  /** Whether whoever sits at the terminal says yes; absent where nobody does. */
  confirm?: ((question: string) => Promise<boolean>) | undefined;
}

export interface CommonOptions {
  json?: true;
  verbose?: true;
}

export type Action<O extends CommonOptions> = (
  session: Session,
  options: O,
  args: string[],
) => Promise<ExitCode>;

/** What a command is made of. */
export interface CommandParts<O extends CommonOptions> {
  /** For the list of commands, in a few words. */
  summary: string;
  description: string;
  /** Command lines, one per line. */
  examples: string;
  action: Action<O>;
}

/** How a command's file adds its command to the program. */
export type AddCommand = <O extends CommonOptions>(signature: string, parts: CommandParts<O>) => Command;

const UNUSABLE = /(option '--(?:to|header)[^']*)' (?:argument|value) '.*?'(?: from env '\w+')? is invalid\./s;

/** The program, without its commands. */
export function createProgram(version: string, world: World): Command {
  return new Command('spandrel')
    .description('Looks after a bucket of traces that browsers fill.')
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'help on a command')
    .helpOption('-h, --help', 'this text')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      // What was given may be a secret in the wrong place.
      outputError: (text, write) => write(text.replace(UNUSABLE, "$1' is invalid.")),
    });
}

/** Adds a word that commands come after. */
export function addGroup(program: Command, name: string, summary: string): Command {
  return program.command(name).summary(summary).description(summary).helpOption('-h, --help', 'this text');
}

/**
 * Adds a command with the options that all have. Its action runs with a terminal and a signal, and its failures
 * become one line on stderr, and an exit code for `done`.
 */
export function addCommand<O extends CommonOptions>(
  program: Command,
  world: World,
  done: (code: ExitCode) => void,
  signature: string,
  { summary, description, examples, action }: CommandParts<O>,
): Command {
  return program
    .command(signature)
    .summary(summary)
    .description(description)
    .helpOption('-h, --help', 'this text')
    .option('--json', 'print one JSON document, and nothing else, on stdout')
    .option('--verbose', 'with an error, say where it came from (also: DEBUG=1)')
    .addHelpText('after', `\nExamples:\n${examples.trim().replace(/^/gm, '  ')}`)
    .action(async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      const options = command.opts<O>();
      const terminal = createTerminal({ ...world, json: options.json === true });
      done(await runAction(action, options, command.args, terminal, world));
    });
}

async function runAction<O extends CommonOptions>(
  action: Action<O>,
  options: O,
  args: string[],
  terminal: Terminal,
  world: World,
): Promise<ExitCode> {
  const interrupted = new AbortController();
  const stopListening = world.onInterrupt(() => {
    if (interrupted.signal.aborted) world.exit(EXIT.interrupted);
    interrupted.abort(new CliError('interrupted', { exitCode: EXIT.interrupted }));
  });
  try {
    const { env, ask } = world;
    const { signal } = interrupted;
    const confirm =
      ask && (async (question: string) => /^y(es)?$/i.test((await ask(`${question} [y/N] `, signal)).trim()));
    const code = await action({ terminal, env, signal, confirm }, options, args);
    return interrupted.signal.aborted ? EXIT.interrupted : code;
  } catch (error) {
    if (interrupted.signal.aborted) return EXIT.interrupted;
    const { talkColours } = terminal;
    terminal.talk(`${talkColours.red('error:')} ${messageOf(error)}`);
    if ((options.verbose || world.env['DEBUG']) && error instanceof Error) {
      terminal.talk(talkColours.dim(stackOf(error)));
    }
    return error instanceof CliError ? error.exitCode : EXIT.wrong;
  } finally {
    stopListening();
  }
}

/** The stack, and those of its causes. */
function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return (error.stack ?? error.message) + cause;
}

/** Takes a whole number. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
  };
}

/** Takes an http(s) URL without user and password. */
export function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return url;
  throw new InvalidArgumentError('It takes an http(s) URL, without user and password.');
}
