/**
 * Where all copies of OpenTelemetry's API on a page meet. Part of the API's stand-in.
 *
 * What is there was put by one copy: others register only if they are of its very version, and find something only if
 * they are no newer. An app shall record as if we were not there, whichever copy it brings and whenever. So ours is
 * lent: every copy finds it until somebody registers their own, which then takes its place.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/blob/main/api/src/internal/global-utils.ts
 */
import type * as api from '@opentelemetry/api';

/** One place for all copies of the API's first major version. */
const GLOBAL = Symbol.for('opentelemetry.js.api.1');
/** The newest that is known: copies up to it find what we lend. */
export const API_VERSION = '1.10.0';

interface Registered {
  readonly version: string;
  trace?: api.TracerProvider;
  context?: api.ContextManager;
  diag?: api.DiagLogger;
  propagation?: api.TextMapPropagator;
}
type Lent = 'trace' | 'context';

const scope = globalThis as { [GLOBAL]?: Registered | undefined };
/** In the place, until somebody brings their own. */
const ours: Registered = { version: API_VERSION };
let place: Registered = ours;
/** What we have lent, and fall back on when somebody else's is gone. */
export const own: Pick<Registered, Lent> = {};

let isOursReading = false;
/** Between a copy's writing to the place, which reading does not do, and its next look at it. */
let isRegistering = false;

/**
 * Whether a copy is about to register something. Its first step is the same as that of finding something, and its
 * version, which it will insist on, is nowhere to be read: only the names of its methods tell, which bundlers leave.
 */
const isRegistrar = (): boolean => /setGlobal[A-Z]|setLogger/.test(`${new Error().stack}`);

/** What this page's copies share, with what is lent. */
export function registered(): Registered | undefined {
  isOursReading = true;
  try {
    return scope[GLOBAL];
  } finally {
    isOursReading = false;
  }
}

function lend(name: Lent): void {
  const to = place;
  // Whoever has own tracers has own contexts, or none: parents that are in no trace of theirs would be worse.
  if (!own[name] || to[name] || (name === 'context' && to.trace && to.trace !== own.trace)) return;
  Reflect.defineProperty(to, name, {
    configurable: true,
    enumerable: true,
    get: () => (isRegistering ? undefined : own[name]),
    set(value: unknown) {
      if (name === 'trace') takeBack('context');
      Reflect.deleteProperty(to, name);
      to[name] = value as never;
    },
  });
}

function takeBack(name: Lent): void {
  isRegistering = false;
  if (own[name] && place[name] === own[name]) Reflect.deleteProperty(place, name);
}

/** @returns false when there is one already. */
export function register<K extends Lent>(name: K, instance: NonNullable<Registered[K]>): boolean {
  const found = registered();
  const known = found?.[name];
  if (!known || known !== own[name]) own[name] = instance;
  if (known) return false;
  if (found !== place || !found) {
    place = found ?? ours;
    Reflect.defineProperty(scope, GLOBAL, {
      configurable: true,
      get() {
        isRegistering = false;
        return place === ours && !isOursReading && isRegistrar() ? undefined : place;
      },
      set(value: Registered) {
        place = value;
        lend('trace');
        lend('context');
        isRegistering = true;
      },
    });
  }
  lend(name);
  return place[name] === instance;
}

/** Takes back what {@link register} has lent. */
export function unregister(name: Lent): void {
  takeBack(name);
  delete own[name];
  if (own.trace || own.context || registered() !== place) return;
  Reflect.deleteProperty(scope, GLOBAL);
  if (place !== ours) scope[GLOBAL] = place;
}
