import { readFile } from 'node:fs/promises';
import { InvalidArgumentError, type Session } from '../command.js';
import { usageError } from '../failure.js';

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/**
 * Headers that say where data belongs or who asks, and open nothing. A command line is seen by all on the machine, and
 * kept in histories, and what opens an account has as many names as there are vendors: all others come from elsewhere.
 */
const HARMLESS = new Set([
  ...['accept', 'accept-language', 'from', 'user-agent', 'x-request-id'],
  // Which tenant, data set or stream: Grafana, Honeycomb, Axiom, OpenObserve, GreptimeDB, Elastic, VictoriaMetrics.
  ...['x-scope-orgid', 'x-honeycomb-dataset', 'x-axiom-dataset', 'organization', 'stream-name'],
  ...['x-greptime-db-name', 'x-greptime-pipeline-name', 'x-greptime-trace-table-name'],
  ...['x-elastic-mapping-mode', 'accountid', 'projectid', 'vl-stream-fields'],
]);
const SECRET_VALUE = /^(bearer|basic|apikey|token)\s/i;

/** Takes `name=value` of a header that everybody may see. */
export function plainHeader(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [name, value] = split(text);
  if (!HARMLESS.has(name.toLowerCase()) || SECRET_VALUE.test(value)) {
    throw new InvalidArgumentError(
      `"${name}" may hold a secret: put it into a variable or a file, and give --header-env ${name}=VARIABLE or --header-file ${name}=FILE.`,
    );
  }
  return { ...before, [name]: value };
}

/** Takes `name=FILE`. */
export function headerFile(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [name, file] = split(text);
  if (!file) throw new InvalidArgumentError('It takes name=FILE, such as Authorization=/run/secrets/otlp.');
  return { ...before, [name]: file };
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

export interface HeaderFlags {
  header?: Record<string, string>;
  headerEnv?: Record<string, string>;
  headerFile?: Record<string, string>;
}

/** The headers of all flags. @throws {CliError} when a variable is not set, or a file cannot be read. */
export async function readHeaders(
  { header = {}, headerEnv = {}, headerFile: files = {} }: HeaderFlags,
  { env, terminal }: Session,
): Promise<Record<string, string>> {
  const headers = { ...header };
  const set = (name: string, value: string): void => {
    terminal.hide(value);
    // A scheme alone is no secret, and what follows it is one in every other place as well.
    terminal.hide(value.replace(/^\w+\s+/, ''));
    headers[name] = value;
  };
  for (const [name, variable] of Object.entries(headerEnv)) {
    const value = env[variable];
    if (!value) throw usageError(`${variable} is not in the environment; --header-env ${name} wants it`);
    set(name, value);
  }
  for (const [name, file] of Object.entries(files)) {
    const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      // The path is not repeated: it may be the secret itself, given to the wrong flag.
      throw usageError(`the file of --header-file ${name} cannot be read (${cause.code ?? 'unknown error'})`);
    });
    const value = text.trim();
    if (!value || /[\r\n]/.test(value)) {
      throw usageError(
        `the file of --header-file ${name} holds no line, or several; it is to hold the value`,
      );
    }
    set(name, value);
  }
  return headers;
}

function split(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0));
  if (!NAME.test(name)) throw new InvalidArgumentError('It takes name=value.');
  return [name, text.slice(at + 1)];
}
