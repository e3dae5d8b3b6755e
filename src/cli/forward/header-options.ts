import { InvalidArgumentError, type Session } from '../command.js';
import { usageError } from '../failure.js';

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** Headers whose values are worth stealing: a command line is seen by all on the machine, and kept in histories. */
const SECRET_NAME = /auth|token|secret|key|password|cookie|credential/i;
const SECRET_VALUE = /^(bearer|basic)\s/i;

/** Takes `name=value` of a header that everybody may see. */
export function plainHeader(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [name, value] = split(text);
  if (SECRET_NAME.test(name) || SECRET_VALUE.test(value)) {
    throw new InvalidArgumentError(
      `"${name}" looks like a secret: put it into a variable, and give --header-env ${name}=VARIABLE.`,
    );
  }
  return { ...before, [name]: value };
}

/** Takes `name=VARIABLE`. */
export function headerVariable(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [name, variable] = split(text);
  // The text is not repeated: it may be the secret itself, given to the wrong flag.
  if (!/^[A-Za-z_]\w*$/.test(variable)) {
    throw new InvalidArgumentError('It takes name=VARIABLE, such as Authorization=OTLP_AUTH.');
  }
  return { ...before, [name]: variable };
}

/** The headers of both flags. @throws {CliError} when a variable is not set. */
export function readHeaders(
  plain: Record<string, string>,
  variables: Record<string, string>,
  { env, terminal }: Session,
): Record<string, string> {
  const headers = { ...plain };
  for (const [name, variable] of Object.entries(variables)) {
    const value = env[variable];
    if (!value) throw usageError(`${variable} is not in the environment; --header-env ${name} wants it`);
    terminal.hide(value);
    // A scheme alone is no secret, and what follows it is one in every other place as well.
    terminal.hide(value.replace(/^\w+\s+/, ''));
    headers[name] = value;
  }
  return headers;
}

function split(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0));
  if (!NAME.test(name)) throw new InvalidArgumentError('It takes name=value.');
  return [name, text.slice(at + 1)];
}
