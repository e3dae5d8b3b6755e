/** What the name of an event means: by its ending, and by the routes. Settled once for each name. */
import type { Attributes, Context } from '@opentelemetry/api';
import { checkNames, refuse } from '../options.js';
import type { OpenSpan, ReadableSpan } from '../pipeline/span.js';
import { type Word, wordOfText } from './ids.js';

/** An OpenTelemetry `SpanProcessor`, as far as it is used. */
export interface EventSpanProcessor {
  onStart(span: OpenSpan, parentContext: Context): void;
  onEnd(span: ReadableSpan): void;
}

export const isProcessor = (value: unknown): value is EventSpanProcessor =>
  ['onStart', 'onEnd'].every(
    (name) => typeof (value as Record<string, unknown> | undefined)?.[name] === 'function',
  );

/** How the names of events end that begin an operation, end it well, and end it badly. */
export interface Endings {
  /** Default `.started`. */
  started?: string | readonly string[];
  /** Default `.completed`. */
  completed?: string | readonly string[];
  /** Default `.failed`. */
  failed?: string | readonly string[];
}

/** What is taken of some operations and events. */
export interface EventRoute {
  /**
   * A name, or a beginning of names and `*`. Of an operation the name is without its ending: `checkout` for
   * `checkout.started`; so its begin and its end always go the same way.
   */
  match: string;
  /** False: as if these events did not exist. Default true. */
  enabled?: boolean;
  /**
   * Share of sessions, 0 to 1, in which these operations and events are taken. Default 1. Decided by the trace id:
   * within a session always the same way, and the same way in a replay. What happens in an operation that is left out
   * is left out with it; operations in it hang on the next span above.
   */
  sampleRate?: number;
  /** Attributes that these spans and events have as well. */
  attributes?: Attributes;
  /**
   * Where the spans of these operations go in place of the session's `processor`, so to another destination. Their
   * parents, tracks and the session's root stay where they are.
   */
  processor?: EventSpanProcessor;
}

export type Step = 'started' | 'completed' | 'failed' | 'other';

export interface Meaning {
  readonly step: Step;
  /** The operation's, or the event's. */
  readonly name: string;
  readonly word: Word;
  readonly enabled: boolean;
  readonly sampleRate: number;
  readonly attributes: Attributes | undefined;
  readonly processor: EventSpanProcessor | undefined;
}

/** An app has a few dozen names. Beyond this many the cache starts anew, so that generated names cannot fill it. */
const MAX_REMEMBERED = 500;

const STEPS = ['started', 'completed', 'failed'] as const;

const listOf = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value;

/** @throws {TypeError} */
export function checkEndings(endings: Endings = {}): Required<Endings> {
  checkNames('EventSpans endings', endings, STEPS);
  const checked = { started: '.started', completed: '.completed', failed: '.failed', ...endings };
  const seen = new Set<string>();
  for (const step of STEPS) {
    const given: unknown = checked[step];
    const texts: unknown[] = Array.isArray(given) ? given : [given];
    if (!texts.length || !texts.every((text) => typeof text === 'string' && text && !seen.has(text))) {
      refuse(`endings.${step}`, given, 'a text or an array of texts, none of them used twice');
    }
    for (const text of texts) seen.add(text as string);
  }
  return checked;
}

/** @throws {TypeError} */
export function checkRoutes(routes: readonly EventRoute[] = []): readonly EventRoute[] {
  if (!Array.isArray(routes)) refuse('routes', routes, 'an array of routes');
  return routes.map((route, at) => {
    checkNames(`EventSpans routes[${at}]`, route, [
      'match',
      'enabled',
      'sampleRate',
      'attributes',
      'processor',
    ]);
    const { match, enabled = true, sampleRate = 1, attributes = {}, processor } = route;
    if (typeof match !== 'string' || !/^[^*]*\*?$/.test(match) || !match) {
      refuse(`routes[${at}].match`, match, 'a name, or the beginning of names and one *');
    }
    if (typeof enabled !== 'boolean') refuse(`routes[${at}].enabled`, enabled, 'true or false');
    if (!(typeof sampleRate === 'number' && sampleRate >= 0 && sampleRate <= 1)) {
      refuse(`routes[${at}].sampleRate`, sampleRate, 'a number from 0 to 1');
    }
    if (typeof attributes !== 'object' || !attributes) {
      refuse(`routes[${at}].attributes`, attributes, 'an object of attributes');
    }
    if (processor !== undefined && !isProcessor(processor)) {
      refuse(`routes[${at}].processor`, processor, 'a span processor');
    }
    return { ...route, attributes: { ...attributes } };
  });
}

/** Whether a name is what a pattern says: itself, or the beginning before its `*`. */
export const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

export function createMeanings(
  endings: Required<Endings>,
  routes: readonly EventRoute[],
): (name: string) => Meaning {
  // Longer ones first, since one may be the end of another.
  const steps = STEPS.flatMap((step) => listOf(endings[step]).map((ending) => ({ step, ending }))).sort(
    (a, b) => b.ending.length - a.ending.length,
  );
  const known = new Map<string, Meaning>();
  const find = (full: string): Meaning => {
    const found = steps.find(({ ending }) => full.length > ending.length && full.endsWith(ending));
    const name = found ? full.slice(0, -found.ending.length) : full;
    const {
      enabled = true,
      sampleRate = 1,
      attributes,
      processor,
    } = routes.find(({ match }) => matches(match, name)) ?? {};
    return {
      step: found?.step ?? 'other',
      name,
      word: wordOfText(name),
      enabled,
      sampleRate,
      attributes,
      processor,
    };
  };
  return (full) => {
    let meaning = known.get(full);
    if (!meaning) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      meaning = find(full);
      known.set(full, meaning);
    }
    return meaning;
  };
}

/** Of the trace id's last 56 bits, which OpenTelemetry holds to be random. */
export const isSampled = (traceId: string, rate: number): boolean =>
  rate >= 1 || (rate > 0 && Number.parseInt(traceId.slice(18), 16) / 2 ** 56 >= 1 - rate);
