/**
 * The session: one visit by one browser. 30 minutes without use end it, 4 hours at most, shared by the tabs of an
 * origin, kept in localStorage, in no cookie.
 *
 * What is stored is read again before each decision, at most once a second, and before each writing. Of two sessions
 * that tabs began at the same moment the earlier one stays, of two equally early ones the lesser id: every tab comes
 * to the same one, whoever writes last.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/general/session/
 */

import type { Attributes, Span } from '@opentelemetry/api';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import { parseJson, toJson } from '../json.js';
import type { Notes, Platform, Stop } from '../platform/platform.js';
import { hexOf } from '../platform/uuid.js';
import { isLocalRoot } from './attributes.js';

export interface Session {
  /** 32 lowercase hex digits. A new one when the last has expired. */
  readonly id: string;
  /** What began on this page, until a span has told so. */
  begun: Kept | undefined;
  /** What a span says of it; `isRoot` for one without a local parent, which says more. */
  attributes(isRoot: boolean): Attributes;
  /** The user did something: it goes on. */
  touch(): void;
  /** Another tab has changed what is kept: it is read before the next decision. */
  changed(): void;
  /** Forgets it, here and in what is kept. */
  purge(): void;
}

export interface SessionDeps {
  platform: Pick<Platform, 'now' | 'monotonic' | 'randomBytes'>;
  /** Undefined while nothing may be kept: then it lasts as long as the page. */
  notes(): Notes | undefined;
}

const NOTE = 'spandrel-1 session';
const IDLE_MILLIS = 30 * 60_000;
const MAX_MILLIS = 4 * 60 * 60_000;
/** Reading localStorage costs microseconds, and a page may end a thousand spans a second. */
const READ_MILLIS = 1_000;
const WRITE_MILLIS = 5_000;
const ID = /^[\da-f]{32}$/;

/** As it is kept. Instants are epoch milliseconds. */
interface Kept {
  id: string;
  previousId?: string | undefined;
  startedAt: number;
  usedAt: number;
}

/** Anybody on this origin may have written there. */
function parse(text: string | undefined): Kept | undefined {
  try {
    const { id, previousId, startedAt, usedAt } = parseJson(text ?? '') as Kept;
    const isSound = ID.test(id) && Number.isFinite(startedAt) && usedAt >= startedAt;
    return isSound
      ? { id, previousId: ID.test(String(previousId)) ? previousId : undefined, startedAt, usedAt }
      : undefined;
  } catch {
    return undefined;
  }
}

/** A clock that was set back further than the session may idle ends it as well: nobody knows how long it has been. */
const isLive = ({ startedAt, usedAt }: Kept, now: number): boolean =>
  Math.abs(now - usedAt) < IDLE_MILLIS && now - startedAt < MAX_MILLIS;

const isBefore = (a: Kept, b: Kept): boolean =>
  a.startedAt < b.startedAt || (a.startedAt === b.startedAt && a.id < b.id);

export function createSession({ platform, notes }: SessionDeps): Session {
  let kept: Kept | undefined;
  /** Which was in the store when we last looked. */
  let storedId: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let writtenAt = Number.NEGATIVE_INFINITY;

  const write = (store: Notes | undefined): void => {
    writtenAt = platform.monotonic();
    if (store?.set(NOTE, toJson(kept))) storedId = kept?.id;
  };

  /** Joins what we know and what is stored. */
  const read = (store: Notes, now: number): void => {
    readAt = platform.monotonic();
    const stored = parse(store.get(NOTE));
    // It was there and has been deleted: so is the session.
    if (!stored && storedId !== undefined && storedId === kept?.id) kept = undefined;
    storedId = stored?.id;
    if (!stored || !isLive(stored, now)) {
      if (!kept && stored) kept = stored;
      if (kept && isLive(kept, now)) write(store);
    } else if (kept?.id === stored.id) kept.usedAt = Math.max(kept.usedAt, stored.usedAt);
    else if (!kept || !isLive(kept, now) || isBefore(stored, kept)) kept = stored;
    else write(store);
  };

  /** The session of this moment, and whatever is to be kept of it. */
  const current = (mustRead = false): Kept => {
    const now = platform.now();
    const isFresh = !mustRead && platform.monotonic() - readAt < READ_MILLIS;
    if (isFresh && kept && isLive(kept, now)) return kept;
    // Not before: to ask for the store costs as much as to read it.
    const store = notes();
    if (store) read(store, now);
    if (kept && isLive(kept, now)) return kept;
    const id = hexOf(platform.randomBytes(16));
    self.begun = kept = { id, previousId: kept?.id, startedAt: now, usedAt: now };
    write(store);
    return kept;
  };

  const self: Session = {
    begun: undefined,
    get id() {
      return current().id;
    },
    attributes(isRoot) {
      const { id, previousId, startedAt } = current();
      return {
        'session.id': id,
        ...(isRoot && {
          ...(previousId && { 'session.previous_id': previousId }),
          'spandrel.session.started_at': new Date(startedAt).toISOString(),
        }),
      };
    },
    touch() {
      const isDue = platform.monotonic() - writtenAt >= WRITE_MILLIS;
      const session = current(isDue);
      session.usedAt = platform.now();
      if (isDue) write(notes());
    },
    changed() {
      readAt = Number.NEGATIVE_INFINITY;
    },
    purge() {
      kept = storedId = undefined;
      notes()?.delete(NOTE);
    },
  };
  return self;
}

/** What an exporter has that a session needs. */
export interface SessionHost {
  readonly platform: Omit<Platform, 'openStore' | 'openTabs' | 'request'>;
  readonly diagnostics: Diagnostics;
  /** Calls its listener when the user has denied. */
  onDenied(listener: () => void): Stop;
}

/** The session of a page, kept only while the user consents. */
export function openSession(host: SessionHost, isKept = true): Session & { stop: Stop } {
  const { platform, diagnostics } = host;
  const { totals, guard } = diagnostics;
  const session = createSession({
    platform,
    notes: () => (isKept && totals.consent === 'granted' ? platform.notes : undefined),
  });
  const stops = [
    host.onDenied(() => session.purge()),
    platform.onNote((name) => {
      if (name === NOTE || name === null) session.changed();
    }),
    platform.onPage((signal) => {
      if (signal === 'visible') session.touch();
    }),
  ];
  return Object.assign(session, {
    stop() {
      for (const stop of stops) guard(stop);
    },
  });
}

/** What a span processor is to OpenTelemetry, as far as it is needed here. */
export interface SessionProcessor {
  onStart(span: Span): void;
  onEnding(span: Span): void;
  onEnd(): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

const attributesOf = (span: Span): Attributes => (span as { attributes?: Attributes }).attributes ?? {};

/** @param isUse whether a root span that says this is something that the user did. */
export function createSessionProcessor(
  session: Session & { stop: Stop },
  { diagnostics: { guard, totals } }: SessionHost,
  isUse: (attributes: Attributes) => boolean,
): SessionProcessor {
  return {
    onStart(span) {
      guard(() => {
        if (totals.consent === 'denied') return;
        const isRoot = isLocalRoot(span);
        if (isRoot && isUse(attributesOf(span))) session.touch();
        span.setAttributes(session.attributes(isRoot));
      });
    },
    // Not as it starts: a click that leads to nothing is no span.
    onEnding(span) {
      guard(() => {
        const { begun } = session;
        if (!begun || !isLocalRoot(span) || attributesOf(span)['session.id'] !== begun.id) return;
        session.begun = undefined;
        const { id, previousId, startedAt } = begun;
        const attributes = { 'session.id': id, ...(previousId && { 'session.previous_id': previousId }) };
        span.addEvent('session.start', attributes, startedAt);
      });
    },
    onEnd() {},
    async forceFlush() {},
    async shutdown() {
      session.stop();
    },
  };
}

/**
 * A span processor that puts `session.id` on every span, for apps with a tracer provider of their own. It goes in
 * front of the {@link TraceBatchProcessor}. Every span without a local parent counts as use.
 *
 * @param exporter the page's exporter: the session is kept only while that has the user's consent.
 * @example
 * spanProcessors: [sessionProcessor(exporter), new TraceBatchProcessor(exporter)]
 */
export function sessionProcessor(exporter: SessionHost): SessionProcessor {
  return createSessionProcessor(openSession(exporter), exporter, () => true);
}
