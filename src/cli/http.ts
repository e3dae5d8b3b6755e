import { lookup as lookUp } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { messageOf } from './failure.js';
import { isInnerAddress, isInnerHost } from './hosts.js';
import { printable } from './printable.js';

export interface HttpRequest {
  method?: string;
  /** Any, `Origin` included, which `fetch` would not let us set in every version of Node. */
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  /** The answer's body is read no further. Default 256 KiB. */
  maxBytes?: number;
  /** From the first byte out to the last one in. Default 15,000. */
  timeoutMillis?: number;
  signal?: AbortSignal;
  /**
   * True: the URL is a stranger's word, and is not to lead into a network of ours. The address is judged that is
   * connected to, whatever name or spelling leads there.
   */
  isForeign?: boolean;
}

export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  /** True when there was more than `maxBytes`. */
  truncated: boolean;
  /** Until the head of the answer. */
  millis: number;
  /** This machine's clock when the head had come, epoch milliseconds. */
  atMillis: number;
  /** The IP address that answered. */
  address?: string | undefined;
}

export type Ask = (url: string | URL, request?: HttpRequest) => Promise<HttpAnswer>;

/** No answer came. `kind` says what to look at. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly kind: 'name' | 'inner' | 'refused' | 'tls' | 'timeout' | 'broken';

  constructor(kind: HttpError['kind'], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/**
 * One request over a connection of its own. Redirects are answers. Nothing that is sent back costs more than
 * `maxBytes` and `timeoutMillis`.
 *
 * @throws {HttpError}
 */
export const ask: Ask = createAsk(lookUp);

const INNER = 'an address of a private network';

/** {@link ask}, with what looks names up as a parameter. */
export function createAsk(lookup: typeof lookUp): Ask {
  /** As Node's, for names whose every address is anybody's: connecting goes on with these, and asks no more. */
  const lookUpOuter: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) return callback(error, '');
      if (addresses.some(({ address }) => isInnerAddress(address))) {
        return callback(
          Object.assign(new Error(`${printable(hostname)} is at ${INNER}`), { code: 'EINNER' }),
          '',
        );
      }
      if (options.all) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
  return (url, request = {}) => send(url, request, lookUpOuter);
}

const send = (url: string | URL, request: HttpRequest, lookUpOuter: LookupFunction): Promise<HttpAnswer> => {
  const {
    method = 'GET',
    headers = {},
    body,
    maxBytes = 262_144,
    timeoutMillis = 15_000,
    signal,
    isForeign,
  } = request;
  const timeout = AbortSignal.timeout(timeoutMillis);
  const ended = signal ? AbortSignal.any([signal, timeout]) : timeout;
  // An unreferenced timer alone would let the process end.
  const alive = setTimeout(() => undefined, timeoutMillis + 1_000);
  const startedAt = performance.now();
  return new Promise<HttpAnswer>((resolve, reject) => {
    const { protocol, hostname } = new URL(url);
    // An address is not looked up.
    if (isForeign && isInnerHost(hostname))
      throw new HttpError('inner', `${printable(hostname)} is ${INNER}`);
    const { request: open } = protocol === 'https:' ? https : http;
    const lookup = isForeign ? { lookup: lookUpOuter } : {};
    const out = open(url, { method, headers, agent: false, signal: ended, maxHeaderSize: 65_536, ...lookup });
    out.once('response', (answer) => {
      const head = {
        ...{ millis: performance.now() - startedAt, atMillis: Date.now() },
        address: answer.socket.remoteAddress,
      };
      const chunks: Buffer[] = [];
      let length = 0;
      const end = (truncated: boolean): void =>
        resolve({
          ...{ status: answer.statusCode ?? 0, headers: answer.headers, truncated, ...head },
          body: Buffer.concat(chunks).subarray(0, maxBytes),
        });
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length <= maxBytes) return;
        end(true);
        answer.destroy();
      });
      answer.once('end', () => end(false));
      answer.once('error', (error) => reject(timeout.aborted ? timedOut(timeoutMillis) : explain(error)));
      answer.once('close', () => reject(new HttpError('broken', 'the answer broke off')));
    });
    // After an early answer the rest of the body may find nobody; that answer counts.
    out.once('error', (error) => reject(timeout.aborted ? timedOut(timeoutMillis) : explain(error)));
    if (body !== undefined) out.setHeader('content-length', Buffer.byteLength(body));
    out.end(body);
  }).finally(() => clearTimeout(alive));
};

const timedOut = (millis: number): HttpError =>
  new HttpError('timeout', `no answer within ${millis / 1_000} s`);

function explain(error: NodeJS.ErrnoException): HttpError {
  const { code = '' } = error;
  if (/^(ENOTFOUND|EAI_)/.test(code)) return new HttpError('name', 'the host name does not resolve', error);
  if (code === 'EINNER') return new HttpError('inner', error.message, error);
  if (code === 'ECONNREFUSED') return new HttpError('refused', 'the connection is refused', error);
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code)) {
    return new HttpError('tls', `TLS failed: ${printable(messageOf(error))} (${code})`, error);
  }
  if (code === 'ECONNRESET') return new HttpError('broken', 'the connection was reset', error);
  return new HttpError('broken', `no answer: ${printable(messageOf(error))}`, error);
}
