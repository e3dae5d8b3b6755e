/**
 * The server span of one HTTP request. Who the client is stays untold.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span
 */
import type { Attributes, Span } from '@opentelemetry/api';
import { knownMethod } from '../sdk/http-request.js';
import { fail } from './failure.js';
import { guard } from './report.js';
import type { Runtime } from './runtime.js';

/** What Cloudflare adds. */
interface Cf {
  cf?: { httpProtocol?: string };
}

export interface ServerSpanStart {
  name: string;
  attributes: Attributes;
}

/** @param runtime whether it is a function, and whose word on the invocation's id is good. */
export function serverSpanOf(request: Request, runtime: Runtime): ServerSpanStart {
  const { method: asked, headers } = request;
  const method = knownMethod(asked);
  const url = new URL(request.url);
  const scheme = url.protocol.slice(0, -1);
  const attributes: Attributes = {
    'http.request.method': method ?? '_OTHER',
    'url.scheme': scheme,
    'url.path': url.pathname,
    'server.address': url.hostname,
    'server.port': Number(url.port) || (scheme === 'https' ? 443 : 80),
  };
  const add = (name: string, value: string | null | undefined): void => {
    if (value) attributes[name] = value;
  };
  if (method !== asked) attributes['http.request.method_original'] = asked;
  // Its values are replaced where spans are written, like those of every `url.query`.
  add('url.query', url.search.slice(1));
  add('user_agent.original', headers.get('user-agent'));
  add('network.protocol.version', /^HTTP\/(.+)/.exec((request as Cf).cf?.httpProtocol ?? '')?.[1]);
  if (runtime.isFunction) {
    attributes['faas.trigger'] = 'http';
    add('faas.invocation.id', headers.get(runtime.name === 'workerd' ? 'cf-ray' : 'x-vercel-id'));
  }
  return { name: method ?? 'HTTP', attributes };
}

/** Only those that can be asked: another realm's are no instances of ours, and frameworks bring their own. */
export const isResponse = (value: unknown): value is Response =>
  typeof (value as Response | undefined)?.status === 'number' &&
  typeof (value as Response).headers?.get === 'function';

/**
 * The handler has answered. Its `body` is not looked at: Deno and Bun send another response once it was.
 *
 * @param name of the span so far, which a route makes longer.
 * @param routeOf see `EdgeOptions.routeOf`.
 */
export function describeAnswer(
  span: Span,
  name: string,
  answer: unknown,
  routeOf: ((response: Response) => string | undefined) | undefined,
): void {
  // A response of `Response.error()` has the status 0, and cannot be sent either.
  if (!isResponse(answer) || !answer.status) {
    fail(span, 'invalid_response');
    return;
  }
  const { status } = answer;
  span.setAttribute('http.response.status_code', status);
  const named = routeOf && guard(() => routeOf(answer));
  const route = named ?? (span as { attributes?: Attributes }).attributes?.['http.route'];
  if (typeof route === 'string' && route) {
    span.setAttribute('http.route', route);
    span.updateName(`${name} ${route}`);
  }
  // The runtime will refuse it.
  if (answer.bodyUsed) fail(span, 'body_used');
  else if (status >= 500) fail(span, String(status));
}
