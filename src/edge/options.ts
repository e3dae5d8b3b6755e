/** Every option of `instrument`: checked once for each `env`, with an error that names the option. */
import type { Destination } from '../destinations/destination.js';
import type { Stats } from '../diagnostics/stats.js';
import { checkNames, checkNumbers, checkText, NUMBER_OPTIONS, refuse } from '../options.js';
import { checkCommonOptions, type RedactionOptions } from '../page-options.js';
import type { FlushResult } from '../pipeline/pipeline.js';

/** Options of `instrument`. */
export interface EdgeOptions extends RedactionOptions {
  /** Becomes `service.name`. 1 to 200 characters. */
  service: string;
  /** Where objects go: `r2(env.BUCKET)`, `bucket({ endpoint })`, `otlp({ url })`, `tee(a, b)`. */
  destination: Destination;
  /** Becomes `service.version`. 1 to 200 characters. */
  version?: string;
  /** Becomes `deployment.environment.name`. 1 to 200 characters. */
  environment?: string;
  /**
   * Share of the traces that begin here that are kept, 0 to 1, by the trace's id. Default 1. A trace that somebody else
   * has begun is kept if they keep it.
   */
  sampleRate?: number;
  /**
   * Whether a request's `traceparent` is believed: its trace goes on here, and is kept if the caller keeps it. Of one
   * that is not believed there is a link, and a new trace. Default true. Where strangers may call, false or a function
   * keeps them from filling the bucket; an exception in it means false.
   */
  trustTraceparent?: boolean | ((request: Request) => boolean);
  /**
   * Who is sent `traceparent`: true for everybody (default), false for nobody, or origins such as `https://api.example`
   * and patterns for whole URLs.
   */
  propagateTo?: boolean | readonly (string | RegExp)[];
  /**
   * Say the request's `traceparent` in the `Server-Timing` of HTML responses, so that the trace of the page goes on from
   * here. Default true. Left out where the response may be used again (`max-age`, `Expires`, `Last-Modified`): a cache
   * would give one trace to all.
   */
  serverTiming?: boolean;
  /**
   * The low-cardinality route of a request, such as `/product/:id`: becomes `http.route` and part of the span's name.
   * Default: what the handler has set as `http.route` on the request's span.
   */
  routeOf?: (request: Request, response: Response) => string | undefined;
  /**
   * How long after the response to wait for the handler's own `waitUntil` work before its spans are sent, milliseconds.
   * Default 15,000, range 0 to 600,000. Together with `flushTimeoutMillis` it has to fit in what the runtime gives:
   * Workers have 30 s. What is open after that is ended, marked `spandrel.interrupted`.
   */
  waitTimeoutMillis?: number;
  /** How long sending may take, milliseconds. Default 10,000, range 1 to 600,000. What is unsent waits for the next. */
  flushTimeoutMillis?: number;
  /** Ended spans of one invocation held at most. Default 5,000, range 512 to 1,000,000; about 2 KB each. */
  maxBufferedSpans?: number;
  /** Hears what became of each invocation's spans, when all is over. Exceptions in it are caught. */
  onFlush?: (result: FlushResult, stats: Stats) => void;
}

const RANGES = {
  waitTimeoutMillis: [15_000, 0, 600_000],
  flushTimeoutMillis: [10_000, 1, 600_000],
  maxBufferedSpans: NUMBER_OPTIONS.maxBufferedSpans,
} as const;

const NUMBER_NAMES = ['waitTimeoutMillis', 'flushTimeoutMillis', 'maxBufferedSpans'] as const;
const FUNCTION_NAMES = ['routeOf', 'onFlush'] as const;
const NAMES: readonly (keyof EdgeOptions)[] = [
  ...(['service', 'destination', 'version', 'environment', 'sampleRate'] as const),
  ...(['trustTraceparent', 'propagateTo', 'serverTiming', 'redaction', 'redact'] as const),
  ...NUMBER_NAMES,
  ...FUNCTION_NAMES,
];

type Checked =
  | 'sampleRate'
  | 'trustTraceparent'
  | 'propagateTo'
  | 'serverTiming'
  | (typeof NUMBER_NAMES)[number];
/** With defaults. */
export type CheckedEdgeOptions = EdgeOptions & Required<Pick<EdgeOptions, Checked>>;

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkEdgeOptions(options: EdgeOptions): CheckedEdgeOptions {
  checkNames('instrument()', options, NAMES);
  const { destination, trustTraceparent = true, propagateTo = true, serverTiming = true } = options;
  checkText('service', options.service ?? null, undefined);
  checkText('version', options.version, undefined);
  checkText('environment', options.environment, undefined);
  if (typeof destination?.open !== 'function' || destination.isNowhere) {
    refuse('destination', destination, 'a destination such as r2(env.BUCKET), of an absolute URL');
  }
  if (typeof trustTraceparent !== 'boolean' && typeof trustTraceparent !== 'function') {
    refuse('trustTraceparent', trustTraceparent, 'true, false or a function');
  }
  if (typeof serverTiming !== 'boolean') refuse('serverTiming', serverTiming, 'true or false');
  for (const name of FUNCTION_NAMES) {
    const given = options[name];
    if (given !== undefined && typeof given !== 'function') refuse(name, given, 'a function');
  }
  const { sampleRate = 1 } = options;
  checkCommonOptions({ ...options, sampleRate, propagateTo: propagateTo !== true && propagateTo });
  const defaults = { sampleRate, trustTraceparent, propagateTo, serverTiming };
  return { ...options, ...defaults, ...checkNumbers(options, NUMBER_NAMES, RANGES) };
}
