import type { IngestContext } from './ingest-options.js';
import type { QuotaOutcome } from './quota.js';
import type { RefusalCode } from './refusal.js';
import { createStopwatch, type Stage, type Stopwatch } from './stopwatch.js';

/** What became of one request: plain data, with neither URL, token, key, address nor secret. */
export interface IngestLogEntry {
  /** When the request came, epoch milliseconds. */
  atMillis: number;
  kind: IngestContext['kind'] | 'preflight' | 'other';
  /** HTTP status of the answer. */
  status: number;
  /** Present where the answer is an error. */
  error?: RefusalCode;
  /** The project's name. Absent where the request was refused before it was known. */
  project?: string;
  /** The value of `Origin`, or `invalid` where it is none. */
  origin?: string;
  /** Name and version of the client, where it says them in this way: `spandrel/0.1.0`. Hearsay. */
  client?: string;
  /** UUID of the load of the page. Hearsay. */
  page?: string;
  /** Fresh uploads that were asked for, and that were issued. */
  wanted: number;
  issued: number;
  /** Uploads that were issued again. */
  renewed: number;
  /** Tokens of which the answer says whether their object is there. */
  confirmed: number;
  /** Receipts with genuine tokens, and the spans that they speak of. */
  stored: number;
  storedSpans: number;
  /** Spans that the client says it lost. */
  lost: number;
  /** Of the request's body, as far as it was read to its end. */
  bodyBytes: number;
  /** Lengths that were signed, fresh and again. */
  issuedBytes: number;
  /** Of a relay or an OTLP request that was stored: false when its object was there already. */
  created?: boolean;
  /** Spans or log records of an OTLP request that were not taken. Absent where there are none. */
  rejected?: number;
  /** Absent where no quota was asked. */
  quota?: QuotaOutcome;
  /** Milliseconds. On Workers only what waits for something outside takes any. */
  durations: Partial<Record<Stage, number>> & { total: number };
}

/** What is found out about a request on its way. */
export interface Trail {
  watch: Stopwatch;
  /** To be filled in. `status` and `durations` are seen to by {@link logEntry}. */
  facts: Omit<IngestLogEntry, 'durations'>;
}

export function createTrail(atMillis: number, clock: () => number): Trail {
  return {
    watch: createStopwatch(clock),
    facts: {
      atMillis,
      kind: 'other',
      status: 0,
      wanted: 0,
      issued: 0,
      renewed: 0,
      confirmed: 0,
      stored: 0,
      storedSpans: 0,
      lost: 0,
      bodyBytes: 0,
      issuedBytes: 0,
    },
  };
}

/** The whole of it, when the answer is known. */
export function logEntry({ facts, watch }: Trail, status: number): IngestLogEntry {
  return { ...facts, status, durations: watch.read() };
}

/** Anything may be in these headers and fields; into a log goes what has the form that it should have. */
export function loggedOrigin(origin: string | null): string | undefined {
  if (origin === null || origin === 'null') return origin ?? undefined;
  return URL.canParse(origin) && new URL(origin).origin === origin && origin.length <= 300
    ? origin
    : 'invalid';
}

/** See {@link loggedOrigin}. */
export function loggedClient(client: string | undefined): string | undefined {
  return client !== undefined && /^[a-z][a-z0-9-]{0,30}\/\d[\w.+-]{0,30}$/.test(client) ? client : undefined;
}
