/** What a thrown value says of itself. Anything can be thrown, so nothing of it is trusted. */
import type { Attributes } from '@opentelemetry/api';

/** Where it was thrown, as far as the browser tells. */
export interface Whereabouts {
  message?: string;
  filename?: string;
  lineno?: number;
  colno?: number;
}

/** Characters: of a message, enough to be known by; of a stack, some fifty frames. */
const MAX_MESSAGE = 1_000;
const MAX_STACK = 8_000;
const MAX_TYPE = 100;
/** Of an AggregateError's errors. */
const MAX_CAUSES = 3;

interface Thrown {
  type: string;
  message: string;
  stack: string;
}

function read(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

function textOf(value: unknown, name: string): string {
  const text = read(value, name);
  return typeof text === 'string' ? text : '';
}

function plainText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return '';
  }
}

/** Errors are known by their looks: those of other realms are no instances of ours. */
function thrown(value: unknown): Thrown {
  const name = textOf(value, 'name');
  const message = textOf(value, 'message');
  const isError = name !== '' || message !== '';
  return {
    type: (name || (value === null ? 'null' : isError ? 'Error' : typeof value)).slice(0, MAX_TYPE),
    message: (isError ? message : plainText(value)).slice(0, MAX_MESSAGE),
    stack: textOf(value, 'stack'),
  };
}

/** Firefox and Safari leave the first line out of a stack. */
const withHead = ({ type, message, stack }: Thrown): string =>
  stack.startsWith(type) ? stack : `${type}: ${message}\n${stack}`;

/** The error's cause, or an AggregateError's errors; not theirs in turn. */
function causesOf(value: unknown): unknown[] {
  const errors = read(value, 'errors');
  const causes = [];
  for (let index = 0; index < MAX_CAUSES; index++) causes.push(read(errors, String(index)));
  return [read(value, 'cause'), ...causes].filter((cause) => cause !== undefined && cause !== null);
}

/**
 * The attributes of an exception event.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/
 */
export function exceptionAttributes(value: unknown, where: Whereabouts): Attributes {
  const { filename, lineno, colno } = where;
  // Of a script of another origin nothing is told but that it threw.
  const isSecret = (value === null || value === undefined) && where.message !== undefined && !filename;
  const said = thrown(isSecret ? { name: 'Error', message: where.message } : value);
  const own = said.stack ? withHead(said) : filename ? `at ${filename}:${lineno}:${colno}` : '';
  const stack = [own, ...causesOf(value).map((cause) => `Caused by: ${withHead(thrown(cause))}`)].join('\n');
  return {
    'exception.type': said.type,
    'exception.message': said.message,
    ...(stack ? { 'exception.stacktrace': stack.slice(0, MAX_STACK) } : {}),
  };
}
