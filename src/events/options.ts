/** Options of {@link EventSpans}: each with unit, default and range, and checked once. */
import type { Attributes } from '@opentelemetry/api';
import { checkNames, checkText, refuse } from '../options.js';
import type { ReadableSpan } from '../pipeline/span.js';
import {
  checkEndings,
  checkRoutes,
  type Endings,
  type EventRoute,
  type EventSpanProcessor,
  isProcessor,
} from './names.js';
import { SENSITIVE } from './sensitive.js';
import { type EventTime, millisOf } from './time.js';

/** What an event is about: any object. */
export type Payload = object;

/** What names a track or an operation. */
export type Key = string | number;

/** Where a payload says something: one of its properties, the first of several that it has, or a function's answer. */
export type KeyOf = string | readonly string[] | ((payload: Payload, name: string) => unknown);

export type { EventSpanProcessor };

/** What ids are made of. */
export interface EventSession {
  /** A text, or a whole number. Becomes `session.id` on each span. Default: a random number, and no attribute. */
  id?: Key;
  /** Epoch milliseconds or a Date. Default: the time of the first event. */
  startedAt?: EventTime;
  /** Name of the session's span. Default `session`. 1 to 200 characters. */
  name?: string;
}

export interface EventSpansOptions {
  /** Where spans go: a `TraceBatchProcessor`, or any other of OpenTelemetry's span processors. */
  processor: EventSpanProcessor;
  /** Becomes `service.name`. 1 to 200 characters. Needed unless `resource` is given. */
  service?: string;
  /** The resource of an app that has one already, such as its tracer provider's. */
  resource?: ReadableSpan['resource'];
  /** What the ids are made of. The same id, start and events give the same spans, with the same ids. */
  session?: EventSession;
  /** Where a payload names its track: a worker, a tab, a player. Default: nowhere, all is on the main track. */
  track?: KeyOf;
  /** Name of the track of events that name none. Default `main`. */
  mainTrack?: Key;
  /**
   * Where a payload names its operation, so that those that run at once are told apart. Default `id`, `stepId`,
   * `taskId`, `operationId`, `step_id`, `task_id`, `operation_id`; the first that is there counts.
   */
  id?: KeyOf;
  /** Where a payload names the operation that its own is part of, by that one's id. Default `parentId`, `parent_id`. */
  parent?: KeyOf;
  /** How the names of events end. Default `.started`, `.completed`, `.failed`. */
  endings?: Endings;
  /** Which operations and events are taken, and how many. The first that matches counts. Default: all. */
  routes?: readonly EventRoute[];
  /**
   * Parts of names whose values become `REDACTED`, in upper or lower case; up to three letters count only as a word of
   * their own. Default {@link SENSITIVE}; `[]` for none.
   */
  redactKeys?: readonly string[];
  /** Operations that may be open. Default 2,048, range 1 to 100,000; about 1.5 KB each. */
  maxOpen?: number;
  /**
   * Which operation gives way when one begins while `maxOpen` are open: the one that begins, which is then no span
   * (default, counted as `max-open`), or the one that has been open longest, which is ended, marked
   * `spandrel.interrupted`, with what it has.
   */
  dropWhenFull?: 'newest' | 'oldest';
  /** Tracks that may be open. Default 128, range 1 to 10,000. */
  maxTracks?: number;
  /** Events of a span. Default 128, range 1 to 10,000. */
  maxEventsPerSpan?: number;
  /** Attributes of a span or an event. Default 128, range 1 to 1,000. */
  maxAttributes?: number;
  /** Milliseconds after which an open operation counts as forgotten. Default 1,800,000, range 1,000 to 86,400,000. */
  staleMillis?: number;
}

type LimitName = 'maxOpen' | 'maxTracks' | 'maxEventsPerSpan' | 'maxAttributes' | 'staleMillis';

/** `[default, least, most]`. */
export const EVENT_LIMITS: Record<LimitName, readonly [number, number, number]> = {
  maxOpen: [2_048, 1, 100_000],
  maxTracks: [128, 1, 10_000],
  maxEventsPerSpan: [128, 1, 10_000],
  maxAttributes: [128, 1, 1_000],
  staleMillis: [1_800_000, 1_000, 86_400_000],
};

const NAMES: readonly (keyof EventSpansOptions)[] = [
  ...(['processor', 'service', 'resource', 'session', 'track', 'mainTrack', 'id', 'parent'] as const),
  ...(['endings', 'routes', 'redactKeys', 'dropWhenFull'] as const),
  .../* @__PURE__ */ (Object.keys(EVENT_LIMITS) as LimitName[]),
];

const IDS = ['id', 'stepId', 'taskId', 'operationId', 'step_id', 'task_id', 'operation_id'];
const PARENTS = ['parentId', 'parent_id'];

export interface CheckedEventOptions extends Record<LimitName, number> {
  processor: EventSpanProcessor;
  dropWhenFull: 'newest' | 'oldest';
  resource: ReadableSpan['resource'];
  session: { id: Key | undefined; startedAtMillis: number | undefined; name: string };
  track: KeyOf;
  mainTrack: Key;
  id: KeyOf;
  parent: KeyOf;
  endings: Required<Endings>;
  routes: readonly EventRoute[];
  redactKeys: readonly string[];
}

export const isKey = (value: unknown): value is Key =>
  typeof value === 'number' ? Number.isFinite(value) : typeof value === 'string' && value !== '';

function checkKey<F>(name: string, value: unknown, fallback: F): Key | F {
  if (value === undefined) return fallback;
  if (!isKey(value)) refuse(name, value, 'a text or a number');
  return value as Key;
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');

function checkKeyOf(name: string, value: KeyOf | undefined, fallback: KeyOf): KeyOf {
  if (value === undefined) return fallback;
  const isFine = typeof value === 'function' || isTexts(typeof value === 'string' ? [value] : value);
  if (!isFine) refuse(name, value, 'the name of a property, an array of names, or a function');
  return Array.isArray(value) ? [...value] : value;
}

/** @throws {TypeError} naming the option. */
export function checkSession(session: EventSession = {}): CheckedEventOptions['session'] {
  checkNames('EventSpans session', session, ['id', 'startedAt', 'name']);
  const { startedAt } = session;
  const startedAtMillis = millisOf(startedAt);
  if (startedAt !== undefined && startedAtMillis === undefined) {
    refuse('session.startedAt', startedAt, 'epoch milliseconds or a Date');
  }
  return {
    id: checkKey('session.id', session.id, undefined),
    startedAtMillis,
    name: checkText('session.name', session.name, 'session'),
  };
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkEventOptions(options: EventSpansOptions): CheckedEventOptions {
  checkNames('EventSpans', options, NAMES);
  const { processor, resource, redactKeys = SENSITIVE, dropWhenFull = 'newest' } = options;
  if (!isProcessor(processor)) refuse('processor', processor, 'a span processor');
  if (!['newest', 'oldest'].includes(dropWhenFull))
    refuse('dropWhenFull', dropWhenFull, '"newest" or "oldest"');
  const service = checkText('service', options.service ?? (resource ? undefined : null), undefined);
  if (resource !== undefined && (typeof resource?.attributes !== 'object' || !resource.attributes)) {
    refuse('resource', resource, 'an OpenTelemetry resource');
  }
  if (service !== undefined && resource) refuse('service', service, 'nothing where a resource is given');
  if (!isTexts(redactKeys)) refuse('redactKeys', redactKeys, 'an array of texts');
  const limits = {} as Record<LimitName, number>;
  for (const [name, [fallback, least, most]] of Object.entries(EVENT_LIMITS)) {
    const value = options[name as LimitName] ?? fallback;
    if (!Number.isInteger(value) || value < least || value > most) {
      refuse(name, value, `a whole number from ${least} to ${most}`);
    }
    limits[name as LimitName] = value;
  }
  return {
    ...limits,
    processor,
    dropWhenFull,
    resource: resource ?? { attributes: { 'service.name': service } as Attributes },
    session: checkSession(options.session),
    track: checkKeyOf('track', options.track, []),
    mainTrack: checkKey('mainTrack', options.mainTrack, 'main'),
    id: checkKeyOf('id', options.id, IDS),
    parent: checkKeyOf('parent', options.parent, PARENTS),
    endings: checkEndings(options.endings),
    routes: checkRoutes(options.routes),
    redactKeys: [...redactKeys],
  };
}
