/** The stored OTLP beside what the official serializer makes of the same spans. */
import type { OtlpRequest } from './otlp.js';

/**
 * Every span with its resource and scope, by span id. Only representation is levelled: 64-bit integers as strings,
 * what is empty or zero left out, and a `schemaUrl` inside `resource`, where OTLP has no such field, which the
 * serializer writes beside the right one.
 *
 * @throws {Error} when a span is there twice.
 */
export function spansById(requests: readonly OtlpRequest[]): Record<string, unknown> {
  const spans: Record<string, unknown> = {};
  for (const { resourceSpans } of requests) {
    for (const { scopeSpans, ...resource } of resourceSpans) {
      for (const { spans: inScope, ...scope } of scopeSpans) {
        for (const span of inScope) {
          if (spans[span.spanId]) throw new Error(`span ${span.spanId} (${span.name}) is there twice`);
          spans[span.spanId] = levelled({ resource, scope, span });
        }
      }
    }
  }
  return spans;
}

function levelled(value: unknown, key = ''): unknown {
  if (key === 'intValue') return String(value);
  if (Array.isArray(value)) return value.map((item) => levelled(item));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([name, item]) => [name, levelled(item, name)] as const)
    .filter(([name]) => !(key === 'resource' && name === 'schemaUrl'))
    .filter(([name, item]) => /Value$|^values?$/.test(name) || !isEmpty(item));
  return Object.fromEntries(kept);
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === 0 || value === '' || value === undefined;
}
