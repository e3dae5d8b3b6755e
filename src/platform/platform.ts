/** What the pipeline needs of the world. Browser, edge and tests each make one. */

/** What is left of a response when it was read. */
export interface HttpAnswer {
  /** HTTP status; 0 when there was none. */
  status: number;
  /** At most the first 256 KiB of it, as text. */
  body: string;
  /** From `Retry-After`: 0 to one hour. */
  retryAfterMillis?: number | undefined;
}

/** Ends what was begun. Calling it twice is harmless. */
export type Stop = () => void;

/** How the page goes. See `page-lifecycle.ts` for the browser events behind each. */
export type PageSignal =
  | 'hidden' // still alive, perhaps never seen again
  | 'leaving' // pagehide, and the page will not come back
  | 'cached' // pagehide into the bfcache, or frozen
  | 'visible'; // shown, restored or resumed

export interface Platform {
  /** Wall clock, epoch milliseconds. May jump. */
  now(): number;
  /** Milliseconds that never go back, but may stop while the machine sleeps. */
  monotonic(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** `count` random bytes from the platform's strong source. */
  randomBytes(count: number): Uint8Array;
  /** Runs `task` once, later. An exception in it is caught and counted. */
  after(millis: number, task: () => void): Stop;
  /** Lets the main thread take other work, then goes on. Never rejects. */
  yieldToMain(): Promise<void>;
  /**
   * One request by the host's fetch, unpatched where that can be told, and not traced. It has begun when this
   * returns, is given up after 30 s, and never rejects: status 0 means that there was no answer, and `body` why.
   */
  request(url: string, init: RequestInit): Promise<HttpAnswer>;
  /** Whether `url` is that of one of our latest requests, as resource timing names it. */
  isOwnRequest(url: string): boolean;
  /** `navigator.sendBeacon`; false where there is none or it refuses. Never throws. */
  beacon(url: string, body: BodyInit): boolean;
  /** Bytes for requests that must outlive the page, shared by all copies of us on it. */
  keepalive: KeepaliveBudget;
  /** Tells when the page hides, leaves and returns. */
  onPage(listener: (signal: PageSignal) => void): Stop;
  /** Runs `listener` when the network comes back. */
  onOnline(listener: () => void): Stop;
  /** Ends every timer and request, gives back the keepalive bytes, and begins nothing more. */
  close(): void;
}

/**
 * A reservation of the 64 KiB that a page may have in flight in `keepalive` requests and beacons. Exceeding it
 * is a rejected promise that a leaving page never sees, so we count before we call.
 *
 * @see https://fetch.spec.whatwg.org/#http-network-or-cache-fetch step 8.10
 */
export interface KeepaliveBudget {
  /** Takes `bytes`, or answers undefined when they do not fit. The release may be called twice. */
  reserve(bytes: number): Stop | undefined;
  readonly freeBytes: number;
}
