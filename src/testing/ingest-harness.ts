import type { ErrorResponse, ExchangeRequest, ExchangeResponse, PresignedUpload } from '../protocol.js';
import { createIngest } from '../server/ingest.js';
import type { IngestOptions } from '../server/ingest-options.js';
import { type MemoryStorage, memoryStorage } from './memory-storage.js';

export const ENDPOINT = 'https://shop.example/spandrel';
export const ORIGIN = 'https://shop.example';
export const SECRET = 'a secret of at least thirty-two characters';
export const NOW_MILLIS = Date.UTC(2026, 10, 21, 3, 4, 5);

/** What came back, read. */
export interface Answer {
  status: number;
  headers: Headers;
  body: ExchangeResponse & ErrorResponse & { key: string; token: string; created: boolean };
}

/** An endpoint over a store in memory, with a clock by hand. */
export interface IngestHarness {
  storage: MemoryStorage;
  clock: { nowMillis: number };
  /** Everything that `onError` was told. */
  errors: unknown[];
  /** Sends an exchange from the endpoint's own origin. */
  exchange(request: Partial<ExchangeRequest>, headers?: Record<string, string>): Promise<Answer>;
  /** Sends anything. */
  send(init: RequestInit & { query?: string; duplex?: 'half' }): Promise<Answer>;
  /** One fresh upload. */
  issue(project?: string): Promise<PresignedUpload>;
}

/** @param hasSecret false leaves protocol 2 alone. */
export function ingestHarness(options: Partial<IngestOptions> = {}, hasSecret = true): IngestHarness {
  const storage = memoryStorage();
  const clock = { nowMillis: NOW_MILLIS };
  const errors: unknown[] = [];
  const ingest = createIngest({
    storage,
    ...(hasSecret ? { secret: SECRET } : {}),
    allowedOrigins: [],
    now: () => clock.nowMillis,
    onError: (error) => errors.push(error),
    ...options,
  });
  const harness: IngestHarness = {
    storage,
    clock,
    errors,
    async send({ query = '', ...init }) {
      const headers = new Headers(init.headers);
      if (!headers.has('origin')) headers.set('origin', ORIGIN);
      const response = await ingest(new Request(ENDPOINT + query, { method: 'POST', ...init, headers }));
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? {} : JSON.parse(text),
      };
    },
    exchange(request, headers = {}) {
      return harness.send({ body: JSON.stringify({ v: 1, ...request }), headers });
    },
    async issue(project) {
      const answer = await harness.exchange({ want: 1, ...(project === undefined ? {} : { project }) });
      const [upload] = answer.body.uploads;
      if (!upload) throw new Error('no upload was issued');
      return upload;
    },
  };
  return harness;
}
