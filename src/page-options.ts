/** Options of what `start()` collects on a page: what is traced, what is kept of it, what is left out. */
import type { Attributes, AttributeValue, Span } from '@opentelemetry/api';
import { checking, isFunction, type Test } from './options.js';

/** Patterns in order, such as `/product/:id` or `/docs/*`; or a function, whose `undefined` falls back on the default. */
export type RouteNames = readonly string[] | ((url: URL) => string | undefined);

/** A request of the page that is over, for {@link PageOptions.onRequest}. */
export interface TracedRequest {
  readonly method: string;
  readonly url: URL;
  /** What was answered: look at its headers, and leave its body alone, which is the page's. Undefined where nothing was. */
  readonly answer: Response | XMLHttpRequest | undefined;
}

/** Which parts of a page are traced. */
export interface PageOptions {
  /** The load of the document, with its resources. Default true. */
  documentLoad?: boolean;
  /** `fetch`. Default true. */
  fetch?: boolean;
  /** `XMLHttpRequest`. Default true. */
  xhr?: boolean;
  /** Route changes of a single-page app, by the Navigation API, else History. Default true. */
  routes?: boolean;
  /** Clicks and other interactions that lead to work. Default true. */
  interactions?: boolean;
  /** Resources that route changes and interactions fetch. Default true. */
  resources?: boolean;
  /** Long animation frames, or long tasks where there are none. Default true. */
  longFrames?: boolean;
  /** Web vitals with attribution. Default true. */
  webVitals?: boolean;
  /** Rage clicks and dead clicks, where interactions are traced. Default true. */
  frustration?: boolean;
  /** Uncaught errors and unhandled rejections. Default true. */
  errors?: boolean;
  /** How addresses are named: patterns such as `/product/:id` in order, or a function. Default: ids become `:id`. */
  routeNames?: RouteNames;
  /**
   * Who is sent `traceparent` beside the page's own origin: origins, exact URLs, or patterns for whole URLs. Default
   * none. False: none at all, for pages whose own addresses redirect to an origin that does not allow the header.
   */
  propagateTo?: readonly (string | RegExp)[] | false;
  /**
   * Requests that are not traced, and carry no `traceparent`: origins, exact URLs, paths of the page's own origin such
   * as `/health`, or patterns for whole URLs. Nor is there a span of them among the resources. Default none.
   */
  ignoreUrls?: readonly (string | RegExp)[];
  /**
   * Called with the span of each `fetch` and `XMLHttpRequest` just before it ends, to set attributes on it. What it
   * throws is counted, and costs nothing else; what it begins is not traced.
   */
  onRequest?: (span: Span, request: TracedRequest) => void;
  /**
   * Asked at each interaction that would begin an activity: true begins none. `type` is `click`, `keydown`, `submit` or
   * `change`. Default: all begin one. An exception in it means false.
   */
  ignoreInteraction?: (type: string, element: Element) => boolean;
}

/** Attributes that an app puts on all spans. One that is `null` is taken away, one that is undefined is as it was. */
export type ContextAttributes = { [name: string]: AttributeValue | null | undefined };

/** Who uses the page. What else is given than `id` and `hash` becomes `user.{name}`: `user.email`, `user.roles`. */
export interface User {
  /** Becomes `user.id`, as text. */
  id?: string | number | null | undefined;
  /**
   * True: `user.id` is the SHA-256 of the id's UTF-8 in 64 lowercase hex digits. Until that is there spans go without,
   * and never with the plain id; so they do where a page may not hash (`http:`). Other fields go as they are.
   */
  hash?: boolean | undefined;
  [name: string]: AttributeValue | null | undefined;
}

/**
 * Who and what the page's spans are about. Each kind holds up to 64 values: strings (cut at 1,024 characters), numbers,
 * booleans and arrays of one of them (cut at as many characters in all), under names of 1 to 200 characters.
 */
export interface ContextOptions {
  /** As {@link User}; `null` is nobody, also where the page before knew somebody. Default: nobody is known. */
  user?: User | null;
  /** On all spans. Default none. */
  attributes?: ContextAttributes;
  /**
   * Whether the user, the attributes and the flags are known to the next page of the same tab and session, by
   * `sessionStorage`, while the user consents. What that page says itself counts more. Default false.
   */
  persistContext?: boolean;
}

/** A trace of this page as far as it is known, for those who decide whether to keep it. */
export interface LocalTrace {
  readonly traceId: string;
  /** Of the local root; of the span that came first, while the root is unknown. */
  readonly name: string;
  readonly attributes: Attributes;
  readonly durationMillis: number;
  readonly spanCount: number;
  /** Whether a span has the status ERROR. */
  readonly error: boolean;
}

/** Which traces are kept. One that is not kept leaves nothing: traces are kept or dropped whole. */
export interface SamplingOptions {
  /** Share of sessions or traces that are kept, 0 to 1. Default 1. */
  sampleRate?: number;
  /** Whether the share is one of sessions (all of a visit, or nothing) or of traces. Default `session`. */
  sampleBy?: 'session' | 'trace';
  /** Keep traces with an error whatever the rate says. Default true. */
  keepErrors?: boolean;
  /** Keep traces that last longer than this many milliseconds whatever the rate says. Default 0: none for that. */
  keepSlowerThanMillis?: number;
  /** Asked for each trace that is not kept otherwise, once, when it is complete. True keeps it. */
  keepTrace?: (trace: LocalTrace) => boolean;
  /** Under pressure (outbox or buffer more than a quarter full) keep only 1 trace in 32, 64 or 128. Default false. */
  adaptiveSampling?: boolean;
}

/** What a span says, for {@link PrivacyOptions.redact} to change. */
export interface RedactableSpan {
  name: string;
  attributes: Attributes;
  readonly events: { name: string; attributes: Attributes }[];
  statusMessage: string | undefined;
}

export type Consent = 'granted' | 'pending' | 'denied';

/** What of a span is stored. An exporter takes these too. */
export interface RedactionOptions {
  /**
   * Called once with each span before it is written or sent, after the redaction; may change it, and what it has
   * changed is redacted as well. False drops the span, and so does an exception.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that only changes returns nothing.
  redact?: (span: RedactableSpan) => boolean | void;
  /**
   * Replaces query values, credentials and sensitive attributes in all spans. Default true. The URLs that our own
   * parts record are stored without query values anyway.
   */
  redaction?: boolean;
}

/** Whether the user agrees. An exporter takes this too. */
export interface ConsentOptions {
  /**
   * `pending` holds spans in memory only, `denied` collects nothing and deletes what is kept. Default `granted`. See
   * `setConsent`.
   */
  consent?: Consent;
}

/** What may be collected and kept. */
export interface PrivacyOptions extends RedactionOptions, ConsentOptions {
  /** Take the browser's Global Privacy Control for `denied`, until `setConsent` is called. Default false. */
  respectGlobalPrivacyControl?: boolean;
  /** Begin nothing in crawlers that name themselves, and where `navigator.webdriver` is true. Default false. */
  ignoreBots?: boolean;
  /** Session ids. Default true. */
  session?: boolean;
}

export const PAGE_FLAGS: readonly (keyof PageOptions)[] = [
  ...(['documentLoad', 'fetch', 'xhr', 'routes', 'interactions', 'resources'] as const),
  ...(['longFrames', 'webVitals', 'errors', 'frustration'] as const),
];
const PAGE_PRIVACY_FLAGS = ['respectGlobalPrivacyControl', 'ignoreBots', 'session'] as const;
/** Every option that is true or false. */
export const FLAG_NAMES: readonly string[] = [
  ...PAGE_FLAGS,
  ...(['keepErrors', 'adaptiveSampling', 'redaction'] as const),
  ...PAGE_PRIVACY_FLAGS,
  'persistContext',
];

export const PAGE_NAMES: readonly (keyof PageOptions)[] = [
  ...PAGE_FLAGS,
  ...(['routeNames', 'propagateTo', 'ignoreUrls', 'onRequest', 'ignoreInteraction'] as const),
];
export const SAMPLING_NAMES: readonly (keyof SamplingOptions)[] = [
  ...(['sampleRate', 'sampleBy', 'keepErrors', 'keepSlowerThanMillis', 'keepTrace'] as const),
  'adaptiveSampling',
];
/** Those that the exporter takes. */
export const EXPORT_PRIVACY_NAMES = ['redact', 'redaction', 'consent'] as const;
export const PRIVACY_NAMES: readonly (keyof PrivacyOptions)[] = [
  ...EXPORT_PRIVACY_NAMES,
  ...PAGE_PRIVACY_FLAGS,
];

/** Whether a value is a number from 0 to 1. */
export const isShare = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;

const isBoolean: Test = (value) => typeof value === 'boolean';
const isPath: Test = (value) => typeof value === 'string' && value[0] === '/';
const isUrl: Test = (value) => {
  try {
    return value instanceof RegExp || /^https?:$/.test(new URL(value as string).protocol);
  } catch {
    return false;
  }
};
const isListOf = (value: unknown, isGood: Test): boolean => Array.isArray(value) && value.every(isGood);
const URLS = 'an array of origins such as "https://api.example", of URLs';

/** Those of {@link EXPORT_PRIVACY_NAMES}. @throws {TypeError} naming the option, what it got and what it takes. */
export function checkExportOptions(options: object): void {
  const check = checking(options);
  check('redaction', isBoolean, 'true or false');
  check('redact', isFunction, 'a function');
  check(
    'consent',
    (value) => /^(granted|pending|denied)$/.test(String(value)),
    '"granted", "pending" or "denied"',
  );
}

/** What pages and the edge have in common. @throws {TypeError} naming the option, what it got and what it takes. */
export function checkCommonOptions(options: object): void {
  checkExportOptions(options);
  const check = checking(options);
  check('sampleRate', isShare, 'a number from 0 to 1');
  check(
    'propagateTo',
    (value) => value === false || isListOf(value, isUrl),
    `${URLS} and of RegExps, or false`,
  );
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkPageOptions(options: PageOptions & SamplingOptions & PrivacyOptions): void {
  const check = checking(options);
  for (const name of FLAG_NAMES) check(name, isBoolean, 'true or false');
  checkCommonOptions(options);
  for (const name of ['keepTrace', 'onRequest', 'ignoreInteraction']) check(name, isFunction, 'a function');
  check('sampleBy', (value) => value === 'session' || value === 'trace', '"session" or "trace"');
  const isMillis: Test = (value) => Number.isFinite(value) && (value as number) >= 0;
  check('keepSlowerThanMillis', isMillis, 'milliseconds, 0 or more');
  check(
    'routeNames',
    (value) => isFunction(value) || isListOf(value, isPath),
    'an array of patterns such as "/product/:id", or a function',
  );
  check(
    'ignoreUrls',
    (value) => isListOf(value, (one) => isUrl(one) || isPath(one)),
    `${URLS}, of paths such as "/health" and of RegExps`,
  );
}
