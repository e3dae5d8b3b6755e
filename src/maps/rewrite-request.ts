/** Exceptions of an OTLP/JSON request, rewritten in place: for `pull` and `forward`. */
import type { MapCache } from './map-cache.js';
import { resolveStack } from './resolve-stack.js';

/** The stack in the sources' words goes here, where backends look. */
const STACK = 'exception.stacktrace';
/** What the browser said is kept there. */
const ORIGINAL = 'exception.stacktrace.original';
/** Of one object; a page in a loop throws for ever. */
const MAX_STACKS = 10_000;

type Json = Record<string, unknown>;
const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const itemsOf = (value: unknown, name: string): Json[] => {
  const list = isRecord(value) ? value[name] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
};

/**
 * Resolves the stacks of all exceptions in a request.
 *
 * @param request anything; what is no OTLP/JSON is left as it is.
 * @returns how many exceptions have been rewritten.
 */
export async function rewriteStacks(maps: MapCache, request: unknown, project: string): Promise<number> {
  let seen = 0;
  let rewritten = 0;
  for (const group of itemsOf(request, 'resourceSpans')) {
    const release = textOf(group['resource'], 'service.version') ?? '';
    const spans = itemsOf(group, 'scopeSpans').flatMap((scope) => itemsOf(scope, 'spans'));
    for (const event of spans.flatMap((span) => itemsOf(span, 'events'))) {
      const stack = event['name'] === 'exception' ? textOf(event, STACK) : undefined;
      if (stack === undefined || textOf(event, ORIGINAL) !== undefined || ++seen > MAX_STACKS) continue;
      const resolved = await resolveStack(maps, stack, { project, release });
      if (!resolved.isResolved) continue;
      const others = itemsOf(event, 'attributes').filter(({ key }) => key !== STACK);
      event['attributes'] = [...others, attribute(STACK, resolved.text), attribute(ORIGINAL, stack)];
      rewritten += 1;
    }
  }
  return rewritten;
}

const attribute = (key: string, stringValue: string): Json => ({ key, value: { stringValue } });

function textOf(holder: unknown, key: string): string | undefined {
  const value = itemsOf(holder, 'attributes').find((one) => one['key'] === key)?.['value'];
  const text = isRecord(value) ? value['stringValue'] : undefined;
  return typeof text === 'string' ? text : undefined;
}
