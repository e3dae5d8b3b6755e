/** What the overview's questions need of a stored object. All of it is a stranger's word: typed, cut and counted here. */
import { createAgents } from '../../../compact/agents.js';
import { foldMessage, foldUrl, topFrame } from './fold.js';
import { type Attributes, numberOf, readAttributes, readMillis } from './otlp-values.js';
import type { Facts } from './tables.js';

const VITALS = new Set(['LCP', 'INP', 'CLS', 'TTFB', 'FCP']);
const MAX_VITAL = 1e9;
/** One kept for a thousand: what a page writes is not to outweigh all others. */
const MIN_PROBABILITY = 0.001;
const MAX_EXCEPTIONS_PER_SPAN = 20;
const MAX_SPANS_PER_OBJECT = 200_000;
/** Pairs kept of one trace in one object. */
const MAX_PAIRS = 400;
/** Nobody filters by what no other span has. */
const OF_ONE_SPAN = new Set([
  'browser.web_vital.id',
  'browser.web_vital.value',
  'spandrel.session.started_at',
]);
const CLIENT = 3;
const ERROR = 2;

interface Part {
  trace: number;
  start: number;
  finish: number;
  spans: number;
  name: string;
  service: string | undefined;
  release: string | undefined;
  isTold: boolean;
  facts: Record<'session' | 'person' | 'route' | 'browser' | 'os' | 'device' | 'country', string | undefined>;
  weight: number | undefined;
  pairs: Set<string>;
  /** The last that was seen, which most spans share. */
  resource: Attributes | undefined;
}

export interface FactsOptions {
  /** The number of the object. */
  object: number;
  /** Epoch milliseconds: when a trace was whose spans have no time. */
  uploadedAt: number;
  /** A trace's number by its id, 32 lowercase hex digits. */
  numberOfTrace(id: string): number;
}

/**
 * Reads one `ExportTraceServiceRequest`.
 *
 * @returns its facts, and how many of its spans had no usable ids.
 * @throws {TypeError} when the value is no trace request.
 */
export function readFacts(request: unknown, options: FactsOptions): { facts: Facts; skipped: number } {
  const facts: Facts = { parts: [], vitals: [], requests: [], errors: [], activities: [], attributes: [] };
  const parts = new Map<number, Part>();
  let [skipped, count] = [0, 0];
  if (!isRecord(request) || !Array.isArray(request['resourceSpans']))
    throw new TypeError('no resourceSpans: not an OTLP trace request');
  for (const group of recordsOf(request['resourceSpans'])) {
    const resource = readAttributes(
      isRecord(group['resource']) ? group['resource']['attributes'] : undefined,
    );
    for (const scope of recordsOf(group['scopeSpans'])) {
      for (const raw of recordsOf(scope['spans'])) {
        const traceId = readId(raw['traceId'], 32);
        const spanId = readId(raw['spanId'], 16);
        if (!traceId || !spanId || ++count > MAX_SPANS_PER_OBJECT) {
          skipped += 1;
          continue;
        }
        const part = partOf(parts, options.numberOfTrace(traceId), resource);
        addSpan(facts, part, raw, BigInt(`0x${spanId}`));
      }
    }
  }
  for (const part of parts.values()) closePart(facts, part, options);
  return { facts, skipped };
}

function partOf(parts: Map<number, Part>, trace: number, resource: Attributes): Part {
  let part = parts.get(trace);
  if (!part) {
    const none = undefined;
    part = {
      ...{ trace, start: Number.POSITIVE_INFINITY, finish: 0, spans: 0, name: '', isTold: false },
      ...{ service: none, release: none, weight: none, resource: none, pairs: new Set() },
      facts: {
        ...{ session: none, person: none, route: none },
        ...{ browser: none, os: none, device: none, country: none },
      },
    };
    parts.set(trace, part);
  }
  if (part.resource === resource) return part;
  part.resource = resource;
  part.service ??= resource.get('service.name');
  part.release ??= resource.get('service.version');
  addFacts(part, resource);
  return part;
}

function addSpan(facts: Facts, part: Part, raw: Record<string, unknown>, span: bigint): void {
  const attributes = readAttributes(raw['attributes']);
  const start = readMillis(raw['startTimeUnixNano']);
  const finish = readMillis(raw['endTimeUnixNano']) ?? start;
  const duration = start === undefined || finish === undefined ? 0 : Math.max(0, finish - start);
  part.spans += 1;
  if (start !== undefined) part.start = Math.min(part.start, start);
  if (finish !== undefined) part.finish = Math.max(part.finish, finish);
  addFacts(part, attributes);
  const failed = isRecord(raw['status']) && raw['status']['code'] === ERROR;
  addActivity(facts, part, { raw, attributes, span, duration });
  addVital(facts, part, attributes, { span, at: finish ?? 0 });
  addRequest(facts, part, { raw, attributes, span, duration, failed });
  addErrors(facts, part, raw['events'], span);
}

const agents = createAgents();

/** A trace is of one session, browser and release: whichever span says so first. */
function addFacts(part: Part, attributes: Attributes): void {
  const { facts, pairs } = part;
  for (const [key, value] of attributes)
    if (pairs.size < MAX_PAIRS && !OF_ONE_SPAN.has(key)) pairs.add(`${key}\0${value}`);
  facts.session ??= attributes.get('session.id');
  facts.person ??= attributes.get('user.id');
  facts.country ??= attributes.get('geo.country.iso_code');
  if (facts.browser) return;
  // By the same names that `compact` writes.
  const agent = agents.attributesOf(attributes.get('user_agent.original') ?? '');
  const told = (name: string): string | undefined => attributes.get(name) ?? agent[name];
  facts.browser = told('user_agent.name');
  facts.os ??= told('user_agent.os.name');
  facts.device ??= told('device.type');
}

interface ReadSpan {
  raw: Record<string, unknown>;
  attributes: Attributes;
  span: bigint;
  duration: number;
}

function addActivity(facts: Facts, part: Part, { raw, attributes, span, duration }: ReadSpan): void {
  const kind = attributes.get('spandrel.activity.type');
  const isRoot = !readId(raw['parentSpanId'], 16);
  if (kind !== undefined || (isRoot && !part.isTold)) {
    part.name = textOf(raw['name']).slice(0, 200);
    part.isTold = true;
  }
  const told = attributes.get('spandrel.sampling.probability');
  if (told !== undefined) part.weight ??= weightOf(attributes);
  if (kind === undefined) return;
  const route = attributes.get('url.template');
  part.facts.route ??= route;
  facts.activities.push([part.trace, span, kind, route ?? null, duration]);
}

/** How many traces one stands for. What a tail rule kept says nothing of those that it did not look at. */
function weightOf(attributes: Attributes): number {
  if (attributes.get('spandrel.sampling.reason')) return 1;
  const probability = numberOf(attributes.get('spandrel.sampling.probability')) ?? 1;
  return probability > 0 && probability < 1 ? 1 / Math.max(MIN_PROBABILITY, probability) : 1;
}

function addVital(
  facts: Facts,
  part: Part,
  attributes: Attributes,
  { span, at }: { span: bigint; at: number },
): void {
  const name = attributes.get('browser.web_vital.name')?.toUpperCase();
  const value = numberOf(attributes.get('browser.web_vital.value'));
  if (!name || !VITALS.has(name) || value === undefined || value < 0 || value > MAX_VITAL) return;
  // A change of route waits for no server.
  if (name === 'TTFB' && value === 0) return;
  const id = attributes.get('browser.web_vital.id') ?? `${part.trace} ${span}`;
  facts.vitals.push([part.trace, id, name, value, at, attributes.get('url.template') ?? null]);
}

function addRequest(
  facts: Facts,
  part: Part,
  { raw, attributes, span, duration, failed }: ReadSpan & { failed: boolean },
): void {
  const method = attributes.get('http.request.method') ?? attributes.get('http.method');
  if (method === undefined || raw['kind'] !== CLIENT) return;
  const url = attributes.get('url.full') ?? attributes.get('http.url') ?? '';
  const target = foldUrl(url) || textOf(raw['name']).slice(0, 200);
  const text = attributes.get('http.response.status_code') ?? attributes.get('http.status_code');
  const status = numberOf(text);
  const isFailure = failed || (status !== undefined && status >= 400);
  const known = status !== undefined && status >= 0 && status < 1_000 ? Math.trunc(status) : null;
  facts.requests.push([part.trace, span, method.slice(0, 20), target, duration, known, isFailure]);
}

function addErrors(facts: Facts, part: Part, events: unknown, span: bigint): void {
  let count = 0;
  for (const event of recordsOf(events)) {
    if (event['name'] !== 'exception' || ++count > MAX_EXCEPTIONS_PER_SPAN) continue;
    const attributes = readAttributes(event['attributes'], { maxLength: 4_096 });
    const type = (attributes.get('exception.type') ?? 'Error').slice(0, 100);
    const message = attributes.get('exception.message') ?? '';
    const frame = topFrame(attributes.get('exception.stacktrace') ?? '');
    const at = readMillis(event['timeUnixNano']) ?? 0;
    facts.errors.push([part.trace, span, at, type, foldMessage(message), frame, message.slice(0, 300)]);
  }
}

function closePart(facts: Facts, part: Part, { object, uploadedAt }: FactsOptions): void {
  const { trace, spans, name, service, release, weight } = part;
  const { session, person, route, browser, os, device, country } = part.facts;
  const start = Number.isFinite(part.start) ? part.start : uploadedAt;
  const finish = Math.max(start, part.finish);
  facts.parts.push([
    ...[trace, object, start, finish, spans, name || null],
    ...[session, person, route, service, release].map(orNull),
    ...[browser, os, device, country, weight].map(orNull),
  ]);
  for (const pair of part.pairs) {
    const at = pair.indexOf('\0');
    facts.attributes.push([trace, pair.slice(0, at), pair.slice(at + 1)]);
  }
}

const orNull = <T>(value: T | undefined): T | null => value ?? null;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const recordsOf = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Empty for what is no id: another length, or zeros only. */
function readId(value: unknown, length: number): string {
  const id = textOf(value).toLowerCase();
  return id.length === length && /^[0-9a-f]+$/.test(id) && /[^0]/.test(id) ? id : '';
}
