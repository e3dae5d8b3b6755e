/** Every option: checked once, at start, with an error that names the option, what it got and what it takes. */

/** `[default, least, most]` of every option that is a number, in this order: the buffer's, the exporter's. The table of src/spa/README.md is tested against this. */
export const NUMBER_OPTIONS: Record<NumberOption, readonly [number, number, number]> = {
  scheduledDelayMillis: [30_000, 0, 300_000],
  maxBufferedSpans: [5_000, 512, 1_000_000],
  maxTracesPerBlob: [200, 1, 500],
  maxOutboxBlobs: [1_000, 1, 100_000],
  maxOutboxBytes: [20_971_520, 65_536, 1_073_741_824],
  maxOutboxAgeMillis: [604_800_000, 60_000, 2_592_000_000],
  flushTimeoutMillis: [30_000, 1, 600_000],
  shutdownTimeoutMillis: [5_000, 0, 600_000],
  poolSize: [5, 1, 50],
};

export type NumberOption = keyof BufferOptions | keyof ExporterOptions | 'poolSize';

/** How spans gather before they are sent. */
export interface BufferOptions {
  /**
   * How long finished traces wait for company, milliseconds. Default 30,000, range 0 to 300,000. Longer means fewer
   * objects; a leaving page never waits.
   */
  scheduledDelayMillis?: number;
  /** Ended spans held at most, those being sent included. Default 5,000, range 512 to 1,000,000; about 2 KB each. */
  maxBufferedSpans?: number;
}

/** How blobs are made and kept. */
export interface ExporterOptions {
  /** Traces in one object. Default 200, range 1 to 500; 1 gives one object per trace, at one write request each. */
  maxTracesPerBlob?: number;
  /** Blobs that may wait. Default 1,000, range 1 to 100,000. */
  maxOutboxBlobs?: number;
  /** Bytes of blobs that may wait. Default 20 MiB, range 64 KiB to 1 GiB. */
  maxOutboxBytes?: number;
  /** Milliseconds that a blob may wait. Default 7 days, range 1 minute to 30 days. */
  maxOutboxAgeMillis?: number;
  /** Deadline of `flush()` and `forceFlush()`, milliseconds. Default 30,000, range 1 to 600,000. */
  flushTimeoutMillis?: number;
  /** Deadline of `shutdown()`, milliseconds. Default 5,000, range 0 to 600,000. */
  shutdownTimeoutMillis?: number;
}

/** Options that an endpoint's client takes, beside where the endpoint is. */
export interface BucketTuning {
  /** Public project key, when the endpoint serves several projects. 1 to 200 characters. */
  project?: string;
  /** Uploads that `requestUploads` is asked for beside those that are wanted. Default 5, range 1 to 50. */
  poolSize?: number;
  /**
   * When bytes go through the endpoint instead of straight to the bucket: `auto` (default) when the bucket's host is
   * blocked or the page leaves; `always`; `never`.
   */
  relay?: 'auto' | 'always' | 'never';
  /**
   * Headers of what goes to the endpoint, or a function that says them for each request. A page that leaves then has
   * `fetch` in place of beacons, which carry none, so an endpoint of another origin must let them pass its preflight.
   */
  headers?: Record<string, string> | (() => Record<string, string>);
}

/** Text for an error message that shows a value without being taken over by it. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value ? 'an object' : String(value);
}

/** @throws {TypeError} always. */
export function refuse(name: string, got: unknown, takes: string): never {
  throw new TypeError(`spandrel: option "${name}" takes ${takes}, got ${shown(got)}`);
}

/**
 * Reads options out of what a user gave.
 *
 * @param names every name that is allowed.
 * @throws {TypeError} when `options` is no object or holds another name.
 */
export function checkNames<T extends object>(what: string, options: T, names: readonly string[]): T {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`spandrel: ${what} takes an object of options, got ${shown(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new TypeError(`spandrel: ${what} has no option "${name}"; it takes ${names.join(', ')}`);
    }
  }
  return options;
}

/** `[default, least, most]` of numbers by their names. */
export type Ranges<N extends string> = Readonly<Record<N, readonly [number, number, number]>>;

/** The named numbers, with defaults. @throws {TypeError} when one is no whole number in its range. */
export function checkNumbers<N extends string>(
  options: { [name in N]?: unknown },
  names: readonly N[],
  ranges: Ranges<N> = NUMBER_OPTIONS as Ranges<string>,
): Record<N, number> {
  const checked = {} as Record<N, number>;
  for (const name of names) {
    const [fallback, least, most] = ranges[name];
    const value = options[name] ?? fallback;
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
      refuse(name, value, `a whole number from ${least} to ${most}`);
    }
    checked[name] = value as number;
  }
  return checked;
}

export type Test = (value: unknown) => boolean;
export const isFunction: Test = (value) => typeof value === 'function';
const isText: Test = (value) => typeof value === 'string' && value !== '' && value.length <= 200;

/** Checks options that may be absent, by name. @throws {TypeError} */
export const checking =
  (options: object) =>
  (name: string, isGood: Test, takes: string): void => {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined && !isGood(value)) refuse(name, value, takes);
  };

/** A string of 1 to 200 characters, or the fallback when it is absent. @throws {TypeError} */
export function checkText<F>(name: string, value: unknown, fallback: F): string | F {
  checking({ [name]: value })(name, isText, 'a string of 1 to 200 characters');
  return value === undefined ? fallback : (value as string);
}

/** A path that no page resolves. */
export const isPath = (url: string | undefined): boolean => url?.[0] === '/';

/**
 * An absolute http(s) URL, or a path, which is resolved against the page's address, whatever its `<base>` says; of a
 * `srcdoc` or `blob:` page against its origin.
 *
 * @returns the absolute URL; a path as it is where there is no page with an origin, as on a server: see
 *   `Destination.isNowhere`.
 * @throws {TypeError}
 */
export function checkUrl(name: string, value: unknown): string {
  const takes = 'an http(s) URL or a path such as "/spandrel"';
  if (typeof value !== 'string' || !value) refuse(name, value, takes);
  const { location, origin } = globalThis as Partial<typeof globalThis>;
  const base = [location?.href, origin].find((one) => /^https?:/.test(String(one)));
  if (!base && /^\/(?![/\\])/.test(value as string)) return value as string;
  let url: URL;
  try {
    url = new URL(value as string, base);
  } catch {
    refuse(name, value, takes);
  }
  if (!/^https?:$/.test(url.protocol) || url.username || url.password) refuse(name, value, takes);
  url.hash = '';
  return url.href;
}

const NUMBER_NAMES = /* @__PURE__ */ Object.keys(NUMBER_OPTIONS);
export const BUFFER_NAMES = /* @__PURE__ */ NUMBER_NAMES.slice(0, 2) as readonly (keyof BufferOptions)[];
export const EXPORTER_NAMES = /* @__PURE__ */ NUMBER_NAMES.slice(2, 8) as readonly (keyof ExporterOptions)[];
export const BUCKET_NAMES: readonly (keyof BucketTuning)[] = ['project', 'poolSize', 'relay', 'headers'];
const FUNCTION_NAMES: readonly string[] = ['requestUploads', 'notify'];

/** Checked options of `bucket()`. */
export interface CheckedBucketOptions {
  endpoint: string | undefined;
  project: string | undefined;
  poolSize: number;
  relay: 'auto' | 'always' | 'never';
  headers?: BucketTuning['headers'];
}

/** @throws {TypeError} */
export function checkBucketOptions(
  options: BucketTuning & {
    endpoint?: unknown;
    requestUploads?: unknown;
    notify?: unknown;
  },
): CheckedBucketOptions {
  checkNames('bucket()', options, ['endpoint', ...BUCKET_NAMES, ...FUNCTION_NAMES]);
  const { requestUploads, relay = 'auto', headers } = options;
  const check = checking(options);
  for (const name of FUNCTION_NAMES) check(name, isFunction, 'a function');
  if (!requestUploads === (options.endpoint === undefined)) {
    refuse(
      'endpoint',
      options.endpoint,
      'an http(s) URL or a path, unless requestUploads is given in its place',
    );
  }
  check('relay', (value) => /^(auto|always|never)$/.test(String(value)), '"auto", "always" or "never"');
  check(
    'headers',
    (value) => !!value && /object|function/.test(typeof value),
    'an object of texts, or a function that returns one',
  );
  return {
    endpoint: requestUploads ? undefined : checkUrl('endpoint', options.endpoint),
    project: checkText('project', options.project, undefined),
    ...checkNumbers(options, ['poolSize']),
    relay,
    ...(headers && { headers }),
  };
}
