/** What the pipeline needs of the world. Browser, edge and tests each make one. */

/** What is left of a response when it was read. */
export interface HttpAnswer {
  /** HTTP status; 0 when there was none. */
  status: number;
  /** At most the first 256 KiB of it, as text. */
  body: string;
  /** The same as it came, for what is not text. Absent when there was no answer. */
  bytes?: Uint8Array;
  /** The header, where it may be read. */
  contentType?: string | undefined;
  /** From `Retry-After`: 0 to one hour. */
  retryAfterMillis?: number | undefined;
}

/** Ends what was begun. Calling it twice is harmless. */
export type Stop = () => void;

/** How the page goes. See `page-lifecycle.ts` for the browser events behind each. */
export type PageSignal =
  | 'unloading' // a navigation has begun, which may be cancelled or be a download
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
  /**
   * Runs `task` once, later. An exception in it is caught and counted.
   *
   * @param isAwaited whether somebody waits for it: in Node, an exporter's other timers do not keep the process.
   */
  after(millis: number, task: () => void, isAwaited?: boolean): Stop;
  /** Runs `task` once when the main thread is idle, `millis` from now at the latest. Exceptions as in {@link after}. */
  whenIdle(millis: number, task: () => void): Stop;
  /** Lets the main thread take other work, then goes on. Never rejects. */
  yieldToMain(): Promise<void>;
  /**
   * One request by the host's fetch, unpatched where that can be told, and not traced. It has begun when this
   * returns, is given up after `timeoutMillis` (default 30,000), and never rejects: status 0 means that there was no
   * answer, and `body` why.
   *
   * @param read takes what is wanted of the answer beside its status; by default at most 256 KiB of text.
   */
  request(
    url: string,
    init: RequestInit,
    timeoutMillis?: number,
    read?: (response: Response) => Promise<Partial<HttpAnswer>>,
  ): Promise<HttpAnswer>;
  /** The host's `fetch`, unpatched and untraced as in {@link request}, for functions of the user's. */
  readonly fetch: typeof fetch;
  /** Whether `url` is that of one of our latest requests, as resource timing names it. */
  isOwnRequest(url: string): boolean;
  /** `navigator.sendBeacon`; false where there is none or it refuses. Never throws. */
  beacon(url: string, body: BodyInit): boolean;
  /**
   * Leaves a request with the browser, which sends it when the page is gone, however it went. The result takes it
   * back: true when it had not been sent. Undefined where there is no `fetchLater`, or its quota is used up.
   *
   * @see https://fetch.spec.whatwg.org/#fetch-later-method
   */
  defer(url: string, init: RequestInit): (() => boolean) | undefined;
  /** Whether there is a `fetchLater`. */
  readonly canDefer: boolean;
  /** Opens this origin's database; undefined where there is none. It may still fail at each use. Never throws. */
  openStore(): Store | undefined;
  /** What is kept synchronously; undefined where there is none. */
  readonly notes: Notes | undefined;
  /** Tells of notes that other pages set (`text`) or delete; a name of `null` stands for all of them. */
  onNote(listener: (name: string | null, text: string | null) => void): Stop;
  /**
   * Deletes everything that pages of this origin have kept, notes in the caller's task; other pages lose their
   * connections, and those in the bfcache are not brought back (Chromium, Firefox).
   *
   * @throws what the database says, when it has not deleted anything.
   */
  purge(): Promise<void>;
  /** Gives up the requests under way, and takes back those that were left with the browser. */
  abandon(): void;
  /** Which pages live. */
  openTabs(store: Store): Tabs;
  /** Bytes for requests that must outlive the page, shared by all copies of us on it. */
  keepalive: KeepaliveBudget;
  /**
   * Whether this browser decides at `beforeunload` which pages may go into the bfcache: one that holds a lock then may
   * not. Firefox does, and there is no feature of it to detect.
   */
  readonly cachesEarly: boolean;
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

/** Strings, compared one by one. A key is *below* another that it begins with. */
export type StoreKey = readonly string[];

export interface StoreChange {
  puts?: readonly (readonly [StoreKey, unknown])[];
  /** Each with all that is below it. */
  deletes?: readonly StoreKey[];
}

/** Records that outlive the page: structured clones under keys, shared by all pages of the origin. */
export interface Store {
  /**
   * All of the change or nothing, after the changes of earlier calls. It is begun before the next task, and told to
   * commit without waiting, so that it may survive a page that is leaving.
   *
   * @returns once it is complete. Deletes come before puts.
   * @throws what the database says: QuotaExceededError, InvalidStateError, SecurityError, …
   */
  write(change: StoreChange): Promise<unknown>;
  /** Keys below `prefix`, in their order. @throws as {@link write} does. */
  keys(prefix: StoreKey): Promise<StoreKey[]>;
  /** The records below `prefix`, in the order of their keys. @throws as {@link write} does. */
  read(prefix: StoreKey): Promise<[StoreKey, unknown][]>;
  close(): void;
}

/** Small texts that are kept at once, for words that come too late for the {@link Store}. Nothing here throws. */
export interface Notes {
  /** False when it could not be kept. */
  set(name: string, text: string): boolean;
  get(name: string): string | undefined;
  delete(name: string): void;
  /** Names that begin with `prefix`. */
  names(prefix: string): string[];
}

/** Tells living pages from dead ones. A page's name is new with every load: a duplicated tab is another page. */
export interface Tabs {
  /** Of this page. A UUID. */
  readonly name: string;
  /** This page is in use. Resolves when that is known to the others. Never rejects. */
  hold(): Promise<void>;
  /** This page may be gone from here on: others may take over what it left. In the caller's task. */
  release(): void;
  /** Names of pages that are in use; undefined where nobody can tell. */
  living?(): Promise<ReadonlySet<string> | undefined>;
  /** Runs `task` unless another page runs one of its own under the same `lane`. @returns whether it ran. */
  alone(lane: string, task: () => Promise<void>): Promise<boolean>;
  close(): void;
}
