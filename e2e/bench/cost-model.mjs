/**
 * What a month costs at list prices, of what one visit was measured to do.
 *
 * @typedef {object} Visit What one visit does, on average.
 * @property {number} views
 * @property {number} traces
 * @property {number} spans
 * @property {number} objects
 * @property {number} bytes Of all its objects.
 * @property {number} exchanges Requests to the endpoint, relays apart.
 * @property {number} relays
 * @property {number} preflights At the bucket.
 * @property {number} heads What the endpoint asks of the store, to confirm.
 */

export const HOURS_PER_MONTH = 730;
/** An hour, once. */
export const VIEWS_PER_HOUR = 1_000_000;
export const PRICES_AS_OF = '2026-11';

/** US dollars, the most common region, without the free parts. */
export const PRICES = {
  r2: { write: 4.5e-6, read: 0.36e-6, list: 4.5e-6, gigabyteMonth: 0.015 },
  s3: { write: 5e-6, read: 0.4e-6, list: 5e-6, gigabyteMonth: 0.023 },
  workers: { request: 0.3e-6, cpuMilli: 0.02e-6 },
  /** A message is written, read and deleted. */
  queues: { message: 3 * 0.4e-6 },
};

/** Milliseconds of a Worker's CPU: some URLs signed, or one object checked and sent on. Assumed. */
const CPU_MILLIS = { exchange: 1, relay: 1, forwarded: 2 };
/** Objects that are sent together, at most; what is done is noted for each batch. */
const BATCH_OBJECTS = { queue: 100, command: 200 };
const LIST_PAGE_OBJECTS = 1_000;
/** For each minute's folder: a lease, and the listing of leases and notes. */
const WRITES_PER_FOLDER = 3;
const MINUTES_PER_MONTH = HOURS_PER_MONTH * 60;
const BYTES_PER_GIGABYTE = 1e9;

/**
 * @typedef {object} Setup
 * @property {'r2' | 's3'} store
 * @property {'queue' | 'command'} forward Each object as it comes, by a queue, or all that is there, by listing.
 * @property {number} [keptDays] Objects are deleted once they have been forwarded, or so long after. Default 0.
 *
 * @param {Visit} visit
 * @param {Setup} setup
 */
export function monthOf(visit, { store, forward, keptDays = 0 }) {
  const visits = (VIEWS_PER_HOUR * HOURS_PER_MONTH) / visit.views;
  const { write, read, list, gigabyteMonth } = PRICES[store];
  const objects = visits * visit.objects;
  const bytes = visits * visit.bytes;
  const requests = visits * (visit.exchanges + visit.relays);
  const batches = objects / BATCH_OBJECTS[forward];
  const cpuMillis = visits * (visit.exchanges * CPU_MILLIS.exchange + visit.relays * CPU_MILLIS.relay);
  const byQueue = forward === 'queue';
  const notes = batches + (byQueue ? 0 : MINUTES_PER_MONTH * WRITES_PER_FOLDER);
  const dollars = {
    endpoint: requests * PRICES.workers.request + cpuMillis * PRICES.workers.cpuMilli,
    writes: objects * write,
    confirming: visits * visit.heads * read,
    forwarding:
      objects * read +
      notes * write +
      (byQueue
        ? objects * PRICES.queues.message +
          batches * PRICES.workers.request +
          objects * CPU_MILLIS.forwarded * PRICES.workers.cpuMilli
        : (objects / LIST_PAGE_OBJECTS) * list),
    storage: (bytes / BYTES_PER_GIGABYTE) * (keptDays / (HOURS_PER_MONTH / 24)) * gigabyteMonth,
  };
  const total = Object.values(dollars).reduce((sum, one) => sum + one, 0);
  return {
    visits,
    objects,
    bytes,
    requests,
    preflights: visits * visit.preflights,
    spans: visits * visit.spans,
    dollars,
    total,
  };
}
