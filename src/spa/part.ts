/** What every part of the page's instrumentation is given. */
import type { Tracer } from '@opentelemetry/api';
import type { PageClock } from '../platform/clock.js';
import type { PageSignal, Platform, Stop } from '../platform/platform.js';
import type { Activities } from './activity.js';

export interface PartDeps {
  readonly tracer: Tracer;
  readonly activities: Activities;
  readonly clock: PageClock;
  readonly platform: Pick<Platform, 'after' | 'isOwnRequest'>;
  /** Runs a task of ours inside a listener or a patched function of the page: what it throws is counted, not thrown. */
  guard<T>(task: () => T): T | undefined;
  /** For last words: before activities end, and perhaps twice. Guarded. */
  onPage(listener: (signal: PageSignal) => void): Stop;
  /** The low-cardinality name of a page's address, such as `/product/:id`. */
  routeName(url: string): string;
}
