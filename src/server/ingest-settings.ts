import { DEFAULT_LAYOUT, isKeyPrefix, isKeySegment, type KeyLayout } from '../object-key.js';
import { boundedStorage } from './bounded-storage.js';
import { type ConfigSource, createConfigSource } from './client-config.js';
import { DEFAULT_STATE_PREFIX } from './forwarded.js';
import type { Hooks } from './hooks.js';
import type { IngestOptions } from './ingest-options.js';
import { createKeyIssuer, type KeyIssuer } from './key-issuer.js';
import { functionOption, integerOption, inWords, optionError, secretInWords } from './option-check.js';
import { type OtlpSettings, otlpOption } from './otlp/settings.js';
import { createProjects, type Projects } from './projects.js';
import { createQuota, type Quota } from './quota.js';
import type { Storage } from './storage.js';
import { createTokens, type Tokens } from './token.js';
import type { InflateLimits } from './trace-bytes.js';
import { isObject } from './untrusted-body.js';

/** {@link IngestOptions}, checked and made ready. */
export interface IngestSettings extends InflateLimits {
  storage: Storage;
  layout: KeyLayout;
  /** Undefined: without a secret there is none. */
  protocol1: Protocol1 | undefined;
  projects: Projects;
  urlExpirySeconds: number;
  maxUploads: number;
  /** Undefined: no bound. */
  maxUploadBytes: number | undefined;
  /** Undefined: nobody forwards. */
  statePrefix: string | undefined;
  maxBodyBytes: number;
  maxRelayBytes: number;
  bodyTimeoutMillis: number;
  serverTiming: boolean;
  config: ConfigSource;
  /** Undefined: no OTLP is taken. */
  otlp: OtlpSettings | undefined;
  /** Undefined: no bound. */
  quota: Quota | undefined;
  hooks: Hooks;
  /** Milliseconds, for durations. */
  clock: () => number;
  /** Epoch milliseconds. */
  now: () => number;
}

/** What protocol 1 is answered with, beside the rest. */
export interface Protocol1 {
  tokens: Tokens;
  keys: KeyIssuer;
}

const HOOKS = [
  'onStored',
  'onPage',
  'onLost',
  'onError',
  'onLog',
  'rateLimit',
  'config',
  'waitUntil',
] as const;
const STORAGE_METHODS = ['put', 'head', 'list', 'get', 'delete'] as const;

const KIB = 1024;
const MIB = 1024 * KIB;
const DAY_SECONDS = 86_400;
/** Half of what HMAC-SHA256 can use, if it is random text; a word would be guessed. */
const MIN_SECRET_LENGTH = 32;
/** With it the names of subjects are no more than hashed. */
const NO_SECRET = 'none';

/** @throws {TypeError} naming the option, what it got and what it takes, when one is missing or unusable. */
export function checkIngestOptions(options: IngestOptions): IngestSettings {
  const integer = (name: keyof IngestOptions, fallback: number, minimum: number, maximum: number) =>
    integerOption(name, options[name] ?? fallback, minimum, maximum);

  const now = functionOption('now', options.now) ?? Date.now;
  // One that is there and undefined is a variable of the environment that is not set.
  const secrets = Object.hasOwn(options, 'secret') ? secretsOption(options.secret) : [];
  const [oldestSecret] = secrets.slice(-1);
  const layout = {
    prefix: options.prefix ?? DEFAULT_LAYOUT.prefix,
    environment: options.environment ?? DEFAULT_LAYOUT.environment,
  };
  if (typeof layout.prefix !== 'string' || !isKeyPrefix(layout.prefix)) {
    throw optionError('prefix', inWords(layout.prefix), 'key segments joined by single slashes');
  }
  if (typeof layout.environment !== 'string' || !isKeySegment(layout.environment)) {
    throw optionError('environment', inWords(layout.environment), 'one key segment');
  }
  for (const hook of HOOKS) functionOption<unknown>(hook, options[hook]);

  const hooks: Hooks = {
    ...Object.fromEntries(HOOKS.map((hook) => [hook, options[hook]])),
    timeoutMillis: integer('hookTimeoutMillis', 3_000, 10, 25_000),
  };
  const { serverTiming = true } = options;
  if (typeof serverTiming !== 'boolean') {
    throw optionError('serverTiming', inWords(serverTiming), 'true or false');
  }

  const projects = createProjects(options);
  const maxAgeSeconds = integer('tokenMaxAgeSeconds', 7 * DAY_SECONDS, 60, 90 * DAY_SECONDS);
  return {
    storage: boundedStorage(storageOption(options.storage)),
    layout,
    protocol1:
      oldestSecret === undefined
        ? undefined
        : {
            tokens: createTokens({ secrets, maxAgeSeconds, now }),
            keys: createKeyIssuer({ layout, secret: oldestSecret, now }),
          },
    projects,
    otlp: otlpOption(options.otlp, projects, options.projects ? undefined : projects.byKey(undefined)?.name),
    urlExpirySeconds: integer('urlExpirySeconds', 900, 1, 7 * DAY_SECONDS),
    maxUploads: integer('maxUploads', 8, 0, 100),
    maxUploadBytes:
      options.maxUploadBytes === false ? undefined : integer('maxUploadBytes', MIB, KIB, 1024 * MIB),
    statePrefix: statePrefixOption(options.statePrefix ?? DEFAULT_STATE_PREFIX),
    maxBodyBytes: integer('maxBodyBytes', 64 * KIB, KIB, 16 * MIB),
    maxRelayBytes: integer('maxRelayBytes', 256 * KIB, KIB, 64 * MIB),
    maxInflatedBytes: integer('maxInflatedBytes', 4 * MIB, KIB, 256 * MIB),
    maxInflateRatio: integer('maxInflateRatio', 100, 1, 1100),
    bodyTimeoutMillis: integer('bodyTimeoutMillis', 30_000, 100, 300_000),
    serverTiming,
    config: createConfigSource(hooks, now),
    quota: createQuota(options.quota, { secret: oldestSecret ?? NO_SECRET, hooks }),
    hooks,
    now,
    // A clock of the user's own is a clock for durations too; else one that never goes back.
    clock: options.now ? now : () => performance.now(),
  };
}

function statePrefixOption(prefix: unknown): string | undefined {
  if (prefix === false) return undefined;
  if (typeof prefix === 'string' && isKeyPrefix(prefix)) return prefix;
  throw optionError('statePrefix', inWords(prefix), 'false or key segments joined by single slashes');
}

function secretsOption(secret: unknown): string[] {
  const secrets: unknown[] = Array.isArray(secret) ? secret : [secret];
  if (secrets.length === 0) throw optionError('secret', 'an empty array', 'at least one secret');
  return secrets.map((candidate) => {
    if (typeof candidate === 'string' && candidate.length >= MIN_SECRET_LENGTH) return candidate;
    throw optionError('secret', secretInWords(candidate), `at least ${MIN_SECRET_LENGTH} characters`);
  });
}

function storageOption(storage: Storage): Storage {
  const methods = STORAGE_METHODS.filter(
    (method) => !isObject(storage) || typeof storage[method] !== 'function',
  );
  if (methods.length === 0) {
    functionOption('storage.presign', storage.presign);
    return storage;
  }
  throw optionError(
    'storage',
    inWords(storage),
    `s3(), r2() or an object with ${STORAGE_METHODS.join(', ')}`,
  );
}
