import type { StoredReceipt } from '../protocol.js';
import { createIngest } from '../server/ingest.js';
import type { IngestContext, IngestOptions } from '../server/ingest-options.js';
import type { IngestLogEntry } from '../server/log.js';
import { NOW_MILLIS, ORIGIN } from './ingest-harness.js';
import { type MemoryStorage, memoryStorage } from './memory-storage.js';

export const OTLP_KEY = 'key-of-the-operator-0123456789';
export const OTLP_ENDPOINT = 'https://shop.example/spandrel';

/** What came back, as it is and, where it is JSON, read. */
export interface OtlpAnswered {
  status: number;
  headers: Headers;
  bytes: Uint8Array<ArrayBuffer>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever is there.
  json: any;
}

/** An endpoint that takes OTLP, over a store in memory. */
export interface OtlpHarness {
  storage: MemoryStorage;
  clock: { nowMillis: number };
  errors: unknown[];
  logged: IngestLogEntry[];
  /** Everything that `onStored` was told. */
  told: { receipts: StoredReceipt[]; context: IngestContext }[];
  /** Sends with the key, as JSON, to `/v1/traces`, unless `init` has it otherwise. Headers that are null go. */
  send(
    body: BodyInit | object | undefined,
    init?: {
      path?: string;
      method?: string;
      headers?: Record<string, string | null>;
      duplex?: 'half';
    },
  ): Promise<OtlpAnswered>;
}

export function otlpHarness(options: Partial<IngestOptions> = {}): OtlpHarness {
  const storage = memoryStorage();
  const clock = { nowMillis: NOW_MILLIS };
  const harness: Pick<OtlpHarness, 'errors' | 'logged' | 'told'> = { errors: [], logged: [], told: [] };
  const ingest = createIngest({
    storage,
    allowedOrigins: [ORIGIN],
    otlp: { keys: [OTLP_KEY] },
    now: () => clock.nowMillis,
    onError: (error) => harness.errors.push(error),
    onLog: (entry) => harness.logged.push(entry),
    onStored: (receipts, context) => void harness.told.push({ receipts, context }),
    ...options,
  });
  return {
    ...harness,
    storage,
    clock,
    async send(body, { path = '/v1/traces', headers: given = {}, ...init } = {}) {
      const headers = new Headers({
        authorization: `Bearer ${OTLP_KEY}`,
        'content-type': 'application/json',
      });
      for (const [name, value] of Object.entries(given))
        if (value === null) headers.delete(name);
        else headers.set(name, value);
      const isPlain = typeof body === 'object' && Object.getPrototypeOf(body) === Object.prototype;
      const response = await ingest(
        new Request(OTLP_ENDPOINT + path, {
          method: 'POST',
          ...init,
          headers,
          ...(body === undefined ? {} : { body: isPlain ? JSON.stringify(body) : (body as BodyInit) }),
        }),
      );
      const bytes = new Uint8Array(await response.arrayBuffer());
      const isJson = response.headers.get('content-type') === 'application/json';
      return {
        status: response.status,
        headers: response.headers,
        bytes,
        json: isJson ? JSON.parse(new TextDecoder().decode(bytes)) : undefined,
      };
    },
  };
}
