import { jsonFormat, type OtlpFormat } from '../../destinations/otlp-format.js';
import { checkedHeaders, type OtlpHeaders } from '../../destinations/otlp-headers.js';
import type { OtlpProtobuf } from '../../destinations/otlp-protobuf.js';
import { checkNames, checkUrl, isPath, refuse } from '../../options.js';
import type { Destination } from '../pipeline/destination.js';
import { openOtlp } from './open-otlp.js';

/** Options of {@link otlp}. */
export interface OtlpOptions {
  /**
   * The collector: an http(s) URL, or a path of the page's own origin. `/v1/traces` is appended to its path unless that
   * ends so already. Default `http://localhost:4318`.
   */
  url?: string;
  /**
   * Headers of each export, or a function that gives them, also asynchronously: it is called for each export, and once
   * ahead. What it begins at once is not traced, nor is what it asks for by the `fetch` that it is handed. They win over our own `Content-Type`; `Content-Encoding` and `Content-Length` are ours. A function that
   * throws, rejects or takes longer than `timeoutMillis` delays the export. A leaving page cannot wait: of an
   * asynchronous function it uses the latest answer.
   */
  headers?: OtlpHeaders;
  /** `'json'` (default), or what `protobuf(ProtobufTraceSerializer)` gives. */
  format?: 'json' | OtlpProtobuf;
  /** How long one request may take, milliseconds. Default 10,000, range 1 to 60,000. Then it is tried again. */
  timeoutMillis?: number;
}

const NAMES: readonly (keyof OtlpOptions)[] = ['url', 'headers', 'format', 'timeoutMillis'];
const DEFAULT_URL = 'http://localhost:4318';
const DEFAULT_TIMEOUT_MILLIS = 10_000;
const MAX_TIMEOUT_MILLIS = 60_000;

/**
 * An OpenTelemetry collector, or any engine that takes OTLP/HTTP. Each blob is one `POST {url}/v1/traces`, gzip from
 * 1,024 bytes on.
 *
 * A 2xx with an OTLP answer is stored, and spans that its partial success rejects are counted as dropped. A 2xx with
 * anything else (a login page, a 204, no body, half a JSON), 429, 502, 503, 504 and no answer are tried again, after
 * `Retry-After`; every other status drops the blob, counted as `rejected`. OTLP has no
 * way to ask what has arrived: what left with a page whose answer nobody saw is sent again by the next, so a span may
 * arrive twice, with the same ids.
 *
 * @throws {TypeError} naming the option, what it got and what it takes.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function otlp(options: OtlpOptions = {}): Destination {
  checkNames('otlp()', options, NAMES);
  const { headers = {}, timeoutMillis = DEFAULT_TIMEOUT_MILLIS } = options;
  if (!Number.isInteger(timeoutMillis) || timeoutMillis < 1 || timeoutMillis > MAX_TIMEOUT_MILLIS) {
    refuse('timeoutMillis', timeoutMillis, `a whole number from 1 to ${MAX_TIMEOUT_MILLIS}`);
  }
  const url = tracesUrl(checkUrl('url', options.url ?? DEFAULT_URL));
  const format = formatOf(options.format);
  checkHeaders(headers);
  return {
    id: `otlp ${url}`,
    isOurs: true,
    isNowhere: isPath(url),
    open: (deps) => openOtlp(deps, { url, headers, format, timeoutMillis }),
  };
}

function tracesUrl(base: string): string {
  if (isPath(base)) return base;
  const url = new URL(base);
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/v1/traces') ? path : `${path}/v1/traces`;
  return url.href;
}

function formatOf(format: unknown = 'json'): OtlpFormat {
  if (format === 'json') return jsonFormat;
  if (typeof (format as Partial<OtlpFormat> | null)?.bodyOf === 'function') return format as OtlpFormat;
  return refuse('format', format, '"json", or protobuf(ProtobufTraceSerializer) of "spandrel/otlp"');
}

function checkHeaders(headers: unknown): void {
  if (typeof headers === 'function') return;
  try {
    checkedHeaders(headers);
  } catch {
    refuse('headers', headers, 'an object of valid header names and strings, or a function that gives one');
  }
}
