import { VERSION } from '../version.js';
import {
  type AddCommand,
  addCommand,
  addGroup,
  CommanderError,
  createProgram,
  type World,
} from './command.js';
import { compactCommand } from './compact/command.js';
import { eraseCommand } from './compact/erase-command.js';
import { doctorCommand } from './doctor/command.js';
import { EXIT, type ExitCode } from './failure.js';
import { forwardCommand } from './forward/command.js';
import { initCommand } from './init/command.js';
import { mapsCommands } from './maps/command.js';
import { pullCommand } from './pull/command.js';
import { viewCommand } from './view/command.js';

const EXIT_CODES = `
Exit codes: 0 all is well, 1 something is wrong or part of the work failed, 2 the command line cannot be used,
130 interrupted.
Secrets come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) or from a file
(--credentials), never from the command line, and are never printed.`;

/** Runs one command line, without the name of the program. Resolves with the exit code. */
export async function runCli(args: readonly string[], world: World): Promise<ExitCode> {
  const program = createProgram(VERSION, world).addHelpText('after', EXIT_CODES);
  let exitCode: ExitCode = EXIT.fine;
  const addTo =
    (parent: typeof program): AddCommand =>
    (signature, parts) =>
      addCommand(parent, world, (code) => (exitCode = code), signature, parts);
  const add = addTo(program);
  initCommand(add);
  doctorCommand(add);
  forwardCommand(add);
  viewCommand(add);
  pullCommand(add);
  compactCommand(add);
  eraseCommand(add);
  mapsCommands(addTo(addGroup(program, 'maps', 'source maps, by which stacks can be read')));
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Help that was asked for is no mistake; help in the place of a command is.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    throw error;
  }
}
