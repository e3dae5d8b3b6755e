import { bodyStream, discard, type NodeReadable, parsedBody } from './node-body.js';
import { inWords, optionError } from './option-check.js';

/** What is used of Node's `IncomingMessage`, or Express's `Request`. */
export interface NodeRequest extends NodeReadable {
  method?: string | undefined;
  url?: string | undefined;
  headers: Record<string, string | string[] | undefined>;
  socket: object;
}

/** What is used of Node's `ServerResponse`, or Express's `Response`. */
export interface NodeResponse {
  statusCode: number;
  headersSent: boolean;
  writableFinished: boolean;
  setHeader(name: string, value: string | string[]): unknown;
  write(chunk: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: Node's own listeners have other parameters for each event.
  on(event: string, listener: (...args: any[]) => void): unknown;
}

/** Options of `nodeListener`. */
export interface NodeListenerOptions {
  /**
   * True takes the scheme from `X-Forwarded-Proto`, which a proxy in front must set or remove: anybody can send it.
   * It decides which origin is the endpoint's own. Default false: the scheme of the connection.
   */
  trustProxy?: boolean;
}

/**
 * Makes a handler of fetch-style runtimes a listener for Node's `http` and `https`, for HTTP/2, and for Express.
 *
 * Bodies are streamed both ways, no faster than they are read. `request.signal` is aborted when the client hangs up.
 * A body that Express has parsed already is taken as it is, where its bytes can be had; else the answer is a 500 that
 * says so, and the listener belongs in front of the parser. The listener never throws or rejects.
 *
 * @throws {TypeError} naming what is unusable.
 * @example
 * http.createServer(nodeListener(ingest)).listen(8787);
 */
export function nodeListener(
  handler: (request: Request) => Response | Promise<Response>,
  options: NodeListenerOptions = {},
): (req: NodeRequest, res: NodeResponse) => void {
  if (typeof handler !== 'function') throw optionError('handler', inWords(handler), 'a function');
  const { trustProxy = false } = options;
  if (typeof trustProxy !== 'boolean') throw optionError('trustProxy', inWords(trustProxy), 'true or false');

  const serve = async (req: NodeRequest, res: NodeResponse): Promise<void> => {
    const abort = new AbortController();
    res.on('close', () => {
      if (!res.writableFinished) abort.abort();
    });
    // An error of the connection is heard as its close; unheard it would end the process.
    res.on('error', () => undefined);
    req.on('error', () => undefined);
    const request = requestOf(req, trustProxy, abort.signal);
    const response = request instanceof Response ? request : await handler(request);
    await send(response, res, abort.signal);
    discard(req);
  };
  return (req, res) => {
    serve(req, res).catch(() => {
      if (res.headersSent) res.destroy();
      else refuse(res, 500, 'internal', 'something went wrong here');
      discard(req);
    });
  };
}

/** A request as `fetch` knows it, or the answer where there can be none. */
function requestOf(req: NodeRequest, trustProxy: boolean, signal: AbortSignal): Request | Response {
  const { method = 'GET' } = req;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  let body: BodyInit | undefined;
  if (hasBody && req.readableDidRead) {
    body = parsedBody((req as { body?: unknown }).body, one(req.headers['content-length']));
    if (body === undefined) {
      const message = 'the body was read before: put nodeListener in front of what parses bodies';
      return Response.json({ error: { code: 'internal', message } }, { status: 500 });
    }
  } else if (hasBody) body = bodyStream(req);
  try {
    return new Request(urlOf(req, trustProxy), {
      method,
      headers: headersOf(req),
      signal,
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    } as RequestInit);
  } catch {
    const error = { code: 'malformed', message: 'the request line or a header is not valid' };
    return Response.json({ error }, { status: 400 });
  }
}

/** Of the address only path and query are the client's to choose; `//host/path` is a path. */
function urlOf(req: NodeRequest, trustProxy: boolean): URL {
  const { headers, socket } = req;
  const forwarded = trustProxy ? one(headers['x-forwarded-proto'])?.split(',')[0]?.trim() : undefined;
  const isTls =
    forwarded === undefined ? (socket as { encrypted?: unknown }).encrypted === true : forwarded === 'https';
  const host = one(headers[':authority']) ?? one(headers['host']) ?? 'localhost';
  const { origin } = new URL(`${isTls ? 'https' : 'http'}://${host}`);
  // Express takes off what a router is mounted under.
  const target = (req as { originalUrl?: string }).originalUrl ?? req.url ?? '/';
  if (target.startsWith('/')) return new URL(origin + target);
  const { pathname, search } = URL.canParse(target) ? new URL(target) : new URL(origin);
  return new URL(origin + pathname + search);
}

function headersOf({ headers }: NodeRequest): Headers {
  const copied = new Headers();
  for (const [name, values] of Object.entries(headers)) {
    // HTTP/2's own, such as `:path`, are no headers to `fetch`.
    if (values === undefined || name.startsWith(':')) continue;
    for (const value of Array.isArray(values) ? values : [values]) copied.append(name, value);
  }
  return copied;
}

async function send(response: Response, res: NodeResponse, signal: AbortSignal): Promise<void> {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie') res.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) res.setHeader('set-cookie', cookies);
  const reader = response.body?.getReader();
  let wake = (): void => undefined;
  for (const event of ['drain', 'close']) res.on(event, () => wake());
  while (reader && !signal.aborted) {
    const { done, value } = await reader.read();
    if (done) break;
    if (res.write(value) || signal.aborted) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  if (signal.aborted) await reader?.cancel().catch(() => undefined);
  else res.end();
}

function refuse(res: NodeResponse, status: number, code: string, message: string): void {
  res.statusCode = status;
  res.setHeader('content-type', 'application/json');
  res.write(new TextEncoder().encode(JSON.stringify({ error: { code, message } })));
  res.end();
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
