import { blobKey, type Signal } from '../../object-key.js';
import { gzip } from '../../wire/gzip.js';
import { jsonOf, SIGNALS } from '../../wire/otlp-json.js';
import { checkRate, rateLimited, refusalOf, tellStored } from '../hooks.js';
import type { IngestContext } from '../ingest-options.js';
import type { IngestSettings } from '../ingest-settings.js';
import type { Trail } from '../log.js';
import { NO_COST } from '../quota.js';
import { Refusal } from '../refusal.js';
import { parseJsonObject } from '../untrusted-body.js';
import { uuidV7Millis } from '../uuid.js';
import { acceptedResponse, type PartialSuccess, refusedResponse } from './answer.js';
import { encodingOf, inflated, type OtlpEncoding, readOtlpBody } from './body.js';
import { quoteLongIntegers } from './exact.js';
import { idOf } from './identity.js';
import { createKeyRing, type KeyRing } from './keys.js';
import { REQUESTS } from './messages.js';
import { readMessage } from './protobuf.js';
import { receiptOf } from './receipt.js';
import type { OtlpSettings, OtlpTarget } from './settings.js';
import { type Sifted, sift } from './sift.js';

interface Receiving {
  settings: IngestSettings;
  trail: Trail;
  /** Of the answer, whatever it is. */
  headers: Headers;
}

/**
 * Takes one OTLP/HTTP request of a server, a Collector or a platform, and stores what is good of it as one object, in the
 * key's project. Never rejects.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export async function receive(request: Request, target: OtlpTarget, receiving: Receiving): Promise<Response> {
  const { settings, trail, headers } = receiving;
  let encoding: OtlpEncoding = 'json';
  try {
    if (target === 'other') throw new Refusal('not_found', 'this endpoint takes traces and logs');
    if (request.method !== 'POST') {
      throw new Refusal('method_not_allowed', 'this path takes POST', { allow: 'POST' });
    }
    // Of a body that is neither there is no telling in what its answer is read.
    const type = encodingOf(request);
    encoding = type.encoding;
    const project = await keyRingOf(settings.otlp as OtlpSettings)(request);
    const partial = await store(request, { ...receiving, ...type, project, signal: target });
    return acceptedResponse(target, partial, encoding, headers);
  } catch (error) {
    const refusal = refusalOf(error, settings.hooks);
    trail.facts.error = refusal.code;
    return refusedResponse(refusal, encoding, headers);
  }
}

/** The hashes of keys are made once. */
const keyRings = new WeakMap<OtlpSettings, KeyRing>();

function keyRingOf(settings: OtlpSettings): KeyRing {
  const keyRing = keyRings.get(settings) ?? createKeyRing(settings);
  keyRings.set(settings, keyRing);
  return keyRing;
}

interface Export extends Receiving {
  encoding: OtlpEncoding;
  isGzip: boolean;
  project: string;
  signal: Signal;
}

/** @returns what was not taken, if there is any. @throws {Refusal} @throws {StorageError} */
async function store(request: Request, sent: Export): Promise<PartialSuccess | undefined> {
  const { settings, signal, project, isGzip } = sent;
  const { facts, watch } = sent.trail;
  const { hooks, quota, storage } = settings;
  facts.project = project;
  const origin = request.headers.get('origin');
  const context: IngestContext = { project, kind: 'otlp', ...(origin === null ? {} : { origin }) };
  await watch.time('hooks', () => checkRate(request, context, hooks));
  const body = await watch.time('body', () => readOtlpBody(request, settings));
  facts.bodyBytes = body.length;
  if (quota) {
    // Before anything is inflated: that is what costs.
    const cost = { ...NO_COST, objects: 1, relayedBytes: body.length };
    const answer = await watch.time('quota', () => quota.take(request, context, [cost]));
    facts.quota = answer.outcome;
    if (!answer.granted[0]) throw rateLimited('the quota is used up', answer.retryAfterSeconds);
  }
  const sifted = read(isGzip ? await inflated(body, settings) : body, sent);
  const { items, rejectedCount } = sifted;
  if (rejectedCount > 0) facts.rejected = rejectedCount;
  if (items.length > 0) {
    const text = jsonOf(sifted.request);
    const id = await idOf(text, items, signal);
    const at = { id, atMillis: uuidV7Millis(id) ?? 0, nowMillis: settings.now(), signal };
    const { key } = blobKey(settings.layout, project, at);
    const packed = await gzip(new TextEncoder().encode(text));
    facts.created = (await watch.time('store', () => storage.put(key, packed))) === 'created';
    const receipt = receiptOf(sifted, { key, bytes: packed.length, isTraces: signal === 'traces' });
    facts.stored = 1;
    facts.storedSpans = receipt.spanCount;
    // An object that is told of again is the same: the exporter comes again, and so its object.
    if (!(await watch.time('hooks', () => tellStored([receipt], context, hooks)))) {
      throw new Refusal('internal', 'the receipt could not be taken; the request is to come again');
    }
  } else if (rejectedCount > 0) throw new Refusal('malformed', sifted.message ?? '');
  return rejectedCount > 0 ? { rejectedCount, message: sifted.message ?? '' } : undefined;
}

/** @throws {Refusal} `malformed`. */
function read(bytes: Uint8Array<ArrayBuffer>, { encoding, signal }: Export): Sifted {
  if (encoding === 'protobuf') {
    const request = readMessage(bytes, REQUESTS[signal]);
    if (!request) throw new Refusal('malformed', `the body is no protobuf of ${signal}, or is cut off`);
    return sift(request, signal);
  }
  const request = parseJsonObject(bytes, quoteLongIntegers);
  const { resources } = SIGNALS[signal];
  if (
    !Array.isArray(request[resources] ?? []) ||
    (!(resources in request) && Object.keys(request).length > 0)
  ) {
    throw new Refusal('malformed', `the body takes an array of ${resources}`);
  }
  return sift(request, signal);
}
