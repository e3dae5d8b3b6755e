import type { AttributedJson, KeyValueJson, RequestJson } from '../wire/otlp-json.js';
import { type Agents, createAgents } from './agents.js';
import type { Kept } from './retention.js';
import type { SpanText } from './span-text.js';

/** What becomes of spans on the way. */
export interface RuleSettings {
  /** Traces and sessions of bots go, by their user agent. */
  bots: 'keep' | 'drop';
  /** Whether browser, system and device are written beside a user agent. */
  agents: boolean;
  /** Names of attributes that go, on whatever they are. */
  drop: readonly string[];
  /** Names of attributes of which a hash stays. */
  hash: readonly string[];
  /** The secret of these hashes. */
  hashKey: string;
}

export interface Rules {
  /** Whether anything is changed. */
  readonly areAny: boolean;
  /** Changes a request, in place. */
  change(request: RequestJson): Promise<void>;
  /** Leaves spans out that are not to be kept. */
  filter(
    spans: readonly SpanText[],
    kept: Kept,
  ): { spans: SpanText[]; botSpans: number; expiredSpans: number };
}

/** What was hashed before: a compacted object may be written again. */
const HASHED = /^hmac:[0-9a-f]{32}$/;
/** Values whose hash is remembered. */
const MAX_HASHES = 50_000;

export function createRules({ bots, agents, drop, hash, hashKey }: RuleSettings): Rules {
  const known: Agents = createAgents();
  const dropped = new Set(drop);
  const hashed = new Set(hash);
  const hashOf = createHash(hashKey);
  const touches = dropped.size > 0 || hashed.size > 0;

  const changeOne = async (holder: AttributedJson | undefined): Promise<void> => {
    const { attributes } = holder ?? {};
    if (!holder || !attributes) return;
    if (dropped.size > 0 && attributes.some(({ key = '' }) => dropped.has(key))) {
      holder.attributes = attributes.filter(({ key = '' }) => !dropped.has(key));
    }
    for (const attribute of holder.attributes ?? []) {
      const { key = '', value = {} } = attribute;
      if (!hashed.has(key) || HASHED.test(value.stringValue ?? '')) continue;
      attribute.value = { stringValue: `hmac:${await hashOf(JSON.stringify(value))}` };
    }
  };

  /** Not over what is there: a producer may know better. */
  const addAgent = (holder: AttributedJson | undefined): void => {
    const attributes = holder?.attributes;
    const userAgent = attributes?.find(({ key }) => key === 'user_agent.original')?.value?.stringValue;
    if (!attributes || !userAgent) return;
    const there = new Set(attributes.map(({ key }) => key));
    for (const [key, stringValue] of Object.entries(known.attributesOf(userAgent))) {
      if (!there.has(key)) attributes.push({ key, value: { stringValue } } satisfies KeyValueJson);
    }
  };

  return {
    areAny: bots === 'drop' || agents || touches,

    async change({ resourceSpans = [] }) {
      if (!agents && !touches) return;
      for (const { resource, scopeSpans = [] } of resourceSpans) {
        if (agents) addAgent(resource);
        if (touches) await changeOne(resource);
        for (const { scope, spans = [] } of scopeSpans) {
          if (touches) await changeOne(scope);
          for (const span of spans) {
            if (agents) addAgent(span);
            if (!touches) continue;
            for (const holder of [span, ...(span.events ?? []), ...(span.links ?? [])])
              await changeOne(holder);
          }
        }
      }
    },

    filter(all, kept) {
      let spans = [...all];
      if (bots === 'drop') {
        const own = spans.filter(
          ({ userAgent, isSynthetic }) => isSynthetic || (userAgent !== undefined && known.isBot(userAgent)),
        );
        const traces = new Set(own.map(({ traceId }) => traceId));
        const sessions = new Set(own.map(({ sessionId }) => sessionId).filter((id) => id !== undefined));
        spans = spans.filter(
          ({ traceId, sessionId }) => !traces.has(traceId) && !(sessionId && sessions.has(sessionId)),
        );
      }
      const botSpans = all.length - spans.length;
      if (kept.stage > 0) {
        const failed = new Set(spans.filter(({ isError }) => isError).map(({ traceId }) => traceId));
        spans = spans.filter(({ traceId }) => (failed.has(traceId) ? kept.errors : kept.rest));
      }
      return { spans, botSpans, expiredSpans: all.length - botSpans - spans.length };
    },
  };
}

/** HMAC-SHA-256, 32 hexadecimal digits of it: what has few values cannot be found by trying without the key. */
function createHash(secret: string): (text: string) => Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  let key: Promise<CryptoKey> | undefined;
  const hashes = new Map<string, string>();
  return async (text) => {
    const before = hashes.get(text);
    if (before !== undefined) return before;
    key ??= crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign']);
    const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', await key, encoder.encode(text)));
    const digits = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (hashes.size >= MAX_HASHES) hashes.clear();
    hashes.set(text, digits);
    return digits;
  };
}
