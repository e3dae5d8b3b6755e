/**
 * The session: one visit by one browser. 30 minutes without use end it, 4 hours at most, shared by the tabs of an
 * origin, kept in localStorage, in no cookie.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/general/session/
 */
import type { Attributes } from '@opentelemetry/api';
import type { Notes, Platform } from '../platform/platform.js';

export interface Session {
  /** 32 lowercase hex digits. A new one when the last has expired. */
  readonly id: string;
  readonly previousId: string | undefined;
  /** Epoch milliseconds. */
  readonly startedAtMillis: number;
  /** What a span says of it; `isRoot` for one without a local parent, which says more. */
  attributes(isRoot: boolean): Attributes;
  /** The user did something: it goes on. */
  touch(): void;
  /** Forgets it, here and in what is kept. */
  purge(): void;
}

export interface SessionDeps {
  platform: Pick<Platform, 'now' | 'randomBytes'>;
  /** Undefined while nothing may be kept: then it lasts as long as the page. */
  notes(): Notes | undefined;
}

export function createSession(_deps: SessionDeps): Session {
  return {
    id: '',
    previousId: undefined,
    startedAtMillis: 0,
    attributes: () => ({}),
    touch: () => {},
    purge: () => {},
  };
}
