import type { KeyValueJson, RequestJson, SpanJson } from '../wire/otlp-json.js';
import { jsonOf } from '../wire/otlp-json.js';

/** What spans of one scope have before and after them. */
interface Group {
  head: string;
  tail: string;
}

/** One span, as text. */
export interface SpanText {
  json: string;
  traceId: string;
  spanId: string;
  /** Nanoseconds since 1970, as far as doubles go. */
  startNanos: number;
  /** Ended because its page left; there may be a better one. */
  isInterrupted: boolean;
  /** It failed, or something was thrown in it. */
  isError: boolean;
  sessionId?: string;
  userId?: string;
  userAgent?: string;
  /** It says itself that nobody sits there: `user_agent.synthetic.type`. */
  isSynthetic?: boolean;
  /** Heads of resource and scope. */
  resource: Group;
  scope: Group;
}

/** What is asked of spans as they were stored. */
type Facts = Pick<
  SpanText,
  'isInterrupted' | 'isError' | 'isSynthetic' | 'sessionId' | 'userId' | 'userAgent'
>;

/** Takes requests apart. */
export interface SpanTexts {
  /**
   * The spans of a request. Resources and scopes that are written alike are one.
   *
   * @param change of the request, in place, once it is known what was stored.
   */
  of(request: RequestJson, change?: (request: RequestJson) => Promise<void>): Promise<SpanText[]>;
}

export function createSpanTexts(): SpanTexts {
  const groups = new Map<string, Group>();
  const groupOf = (fields: object, list: string): Group => {
    const group = openText(fields, list);
    const known = groups.get(group.head);
    if (known) return known;
    groups.set(group.head, group);
    return group;
  };
  return {
    async of(request, change) {
      const facts = factsOf(request).values();
      await change?.(request);
      const texts: SpanText[] = [];
      for (const { scopeSpans = [], ...ofResource } of request.resourceSpans ?? []) {
        const resource = groupOf(ofResource, 'scopeSpans');
        for (const { spans = [], ...ofScope } of scopeSpans) {
          const scope = groupOf(ofScope, 'spans');
          for (const span of spans) {
            const { traceId, spanId, startTimeUnixNano = 0 } = span;
            const startNanos = Number(startTimeUnixNano);
            const known = facts.next().value as Facts;
            texts.push({ json: jsonOf(span), traceId, spanId, startNanos, resource, scope, ...known });
          }
        }
      }
      return texts;
    },
  };
}

function factsOf({ resourceSpans = [] }: RequestJson): Facts[] {
  const all: Facts[] = [];
  for (const { resource, scopeSpans = [] } of resourceSpans) {
    const shared = lookAt(resource?.attributes, { isInterrupted: false, isError: false });
    for (const { spans = [] } of scopeSpans) {
      for (const span of spans) all.push(lookAt(span.attributes, { ...shared, isError: hasFailed(span) }));
    }
  }
  return all;
}

/** By fields that `otlp-json.ts` does not tell of. */
function hasFailed(span: SpanJson & { status?: { code?: number } }): boolean {
  const events: readonly object[] = span.events ?? [];
  return span.status?.code === 2 || events.some((event: { name?: string }) => event.name === 'exception');
}

function lookAt(attributes: readonly KeyValueJson[] | undefined, facts: Facts): Facts {
  for (const { key, value } of attributes ?? []) {
    if (key === 'spandrel.interrupted') facts.isInterrupted = value?.boolValue === true;
    else if (!value?.stringValue) continue;
    else if (key === 'session.id') facts.sessionId = value.stringValue;
    else if (key === 'user.id' || key === 'enduser.id') facts.userId = value.stringValue;
    else if (key === 'user_agent.original') facts.userAgent = value.stringValue;
    else if (key === 'user_agent.synthetic.type') facts.isSynthetic = true;
  }
  return facts;
}

/**
 * One OTLP/JSON request of spans: each once, those of a trace together, traces and spans in the order of their begin,
 * within their resource and scope.
 */
export function requestOf(spans: readonly SpanText[]): string {
  const begins = new Map<string, number>();
  for (const { traceId, startNanos } of spans) {
    const known = begins.get(traceId);
    if (known === undefined || startNanos < known) begins.set(traceId, startNanos);
  }
  const beginOf = ({ traceId }: SpanText): number => begins.get(traceId) ?? 0;
  const sorted = [...spans].sort(
    (one, other) =>
      beginOf(one) - beginOf(other) ||
      compare(one.traceId, other.traceId) ||
      one.startNanos - other.startNanos ||
      compare(one.spanId, other.spanId),
  );
  const resources = new Map<Group, Map<Group, string[]>>();
  for (const { resource, scope, json } of sorted) {
    const scopes = resources.get(resource) ?? new Map<Group, string[]>();
    resources.set(resource, scopes);
    const texts = scopes.get(scope) ?? [];
    scopes.set(scope, texts);
    texts.push(json);
  }
  const listed = [...resources].map(([{ head, tail }, scopes]) => {
    const inner = [...scopes].map(([scope, texts]) => scope.head + texts.join(',') + scope.tail);
    return head + inner.join(',') + tail;
  });
  return `{"resourceSpans":[${listed.join(',')}]}`;
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** Of spans that are there several times the first that was not interrupted, else the first. */
export function withoutTwins(spans: readonly SpanText[]): SpanText[] {
  const chosen = new Map<string, SpanText>();
  for (const span of spans) {
    const identity = span.traceId + span.spanId;
    const before = chosen.get(identity);
    if (!before || (before.isInterrupted && !span.isInterrupted)) chosen.set(identity, span);
  }
  return chosen.size === spans.length ? [...spans] : [...chosen.values()];
}

/** An object's text with an array open at its end, and what closes both. */
function openText(fields: object, list: string): Group {
  const head = jsonOf({ ...fields, [list]: undefined }).slice(0, -1);
  return { head: `${head}${head === '{' ? '' : ','}"${list}":[`, tail: ']}' };
}
