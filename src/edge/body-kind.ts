/**
 * What a response's body is made of, found out without touching it, since touching alone changes what some runtimes
 * send: Bun forgets the content type of a text once its `body` has been read.
 *
 * Runtimes do not say, so this looks at what they show to debuggers, and takes whatever looks otherwise than expected
 * for unknown. Seen in workerd 1.20260730, Bun 1.4.5 and Deno 2.9.6; the conformance suite tells when it changes.
 */

/**
 * - `whole`: all there; what is to come is the runtime's business.
 * - `script`: a stream that JavaScript feeds.
 * - `network`: workerd's own stream from another server, which it can pipe without JavaScript.
 * - `native`: another of workerd's own streams. Some of these it cannot pipe into another ("Inter-TransformStream
 *   ReadableStream.pipeTo() is not implemented"), and trying breaks them.
 * - `sealed`: to be left alone.
 * - `unknown`: may be touched.
 */
export type BodyKind = 'whole' | 'script' | 'network' | 'native' | 'sealed' | 'unknown';

export interface Body {
  readonly kind: BodyKind;
  /** Bytes, where workerd knows them beforehand and sends a Content-Length. */
  readonly length?: number | bigint | undefined;
}

/** Longer ones of a known length may as well come from R2 or another server, and take their time. */
const MAX_WHOLE_BYTES = 64 * 1024;

const networkBodies = new WeakSet<object>();

/** By which of its own a runtime is known. */
export interface World {
  readonly Bun?: { inspect(value: unknown): string };
  readonly Deno?: unknown;
  readonly IdentityTransformStream?: unknown;
}

const here: World = globalThis as never;

const symbolOf = (holder: object, name: string): symbol | undefined =>
  Object.getOwnPropertySymbols(holder).find(({ description }) => description === name);

/** For {@link bodyOf}, which knows the body again when the host has made another response of it. */
export function noteNetworkBody(response: Response): void {
  if (here.IdentityTransformStream && isFetched(response) && response.body) networkBodies.add(response.body);
}

/** Empty for what was constructed; `HTMLRewriter` and caches leave it empty too. */
const isFetched = ({ url }: Response): boolean => /^https?:/.test(url);

/** @param world the global object. */
export function bodyOf(response: Response, world: World = here): Body {
  try {
    if (world.IdentityTransformStream) return inWorkerd(response);
    if (world.Bun) return { kind: inBun(response, world.Bun.inspect(response)) };
    if (world.Deno) return { kind: inDeno(response) };
  } catch {
    if (!world.Deno) return { kind: 'sealed' };
  }
  return { kind: 'unknown' };
}

/** Its streams tell `console.log` their length, and whether they are its own, by symbols. */
function inWorkerd(response: Response): Body {
  const { body } = response;
  if (!body) return { kind: 'whole' };
  const shown = body as unknown as Record<symbol, unknown>;
  const [lengthKey, nativeKey] = ['length', 'supportsBYOB'].map((name) =>
    symbolOf(ReadableStream.prototype, name),
  );
  // Without its length it would lose its Content-Length.
  if (!lengthKey || !nativeKey) return { kind: 'sealed' };
  const length = shown[lengthKey] as bigint | undefined;
  if (isFetched(response) || networkBodies.has(body)) return { kind: 'network', length };
  if (length !== undefined) return { kind: length <= MAX_WHOLE_BYTES ? 'whole' : 'sealed' };
  return { kind: shown[nativeKey] === false ? 'script' : 'native' };
}

/** What `console.log` of a response says last: `Blob (10 bytes)`, `ReadableStream {`, `FileRef ("a.txt")`, nothing. */
function inBun({ url }: Response, shown: string): BodyKind {
  const [, name] = /\n {2}bodyUsed: false(?:,\n {2}(\w+))?/.exec(shown) ?? [];
  if (name === 'ReadableStream') return 'script';
  if (name === 'Blob') return 'whole';
  // Of what `fetch` has not yet received whole, nothing.
  if (name === undefined && shown.includes('\n  bodyUsed: false\n}')) return url ? 'script' : 'whole';
  return 'sealed';
}

interface DenoResponse {
  readonly body?: { readonly source: unknown; readonly streamOrStatic: unknown } | null;
}

/** The response holds what it was made of. */
function inDeno(response: Response): BodyKind {
  const shown = response as unknown as Record<symbol, unknown>;
  const [lazyKey, innerKey] = ['lazy static body', 'response'].map((name) => symbolOf(response, name));
  if (!innerKey) return 'unknown';
  if (lazyKey && shown[lazyKey] != null) return 'whole';
  const { body } = shown[innerKey] as DenoResponse;
  if (body === null || (body?.source != null && 'streamOrStatic' in body)) return 'whole';
  return body?.streamOrStatic instanceof ReadableStream ? 'script' : 'unknown';
}
