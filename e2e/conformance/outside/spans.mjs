/** What arrived, with everything levelled that is new in each run: ids, times, ports. */

/**
 * @typedef {object} SpanNode One span as a reader sees it; what is empty is left out.
 * @property {string} name
 * @property {string} kind
 * @property {Record<string, unknown>} [attributes]
 * @property {string | undefined} [status] `ok`, or `error: message`.
 * @property {Record<string, unknown>[]} [events] Name and attributes.
 * @property {string[]} [links] What the linked ids are here.
 * @property {string} [parent] Of roots: their parent's id when it is not here.
 * @property {string} [state] Trace state.
 * @property {SpanNode[]} [children] Sorted by what they say.
 */

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

/** What tells of the runtime and not of what happened there; `cases/resource.mjs` looks at these. */
const OF_THE_RUNTIME =
  /^(process\.runtime\.|cloud\.|faas\.|spandrel\.clock\.|telemetry\.sdk\.(version|language)$|network\.protocol\.version$)/;
/** Stacks name files and lines of a bundle. */
const STACK = 'exception.stacktrace';

/** @param {any} value AnyValue. @returns {unknown} */
function plain(value) {
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  if (value.kvlistValue)
    return Object.fromEntries(
      (value.kvlistValue.values ?? []).map((/** @type {any} */ pair) => [pair.key, plain(pair.value)]),
    );
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? value.bytesValue ?? null;
}

/** @param {any[] | undefined} attributes @param {(text: string) => string} level */
function attributesOf(attributes = [], level) {
  const kept = attributes
    .filter(({ key }) => !OF_THE_RUNTIME.test(key))
    .map(({ key, value }) => {
      const got = plain(value);
      if (key === STACK) return [key, '(stack)'];
      if (key === 'server.port') return [key, '(port)'];
      return [key, typeof got === 'string' ? level(got) : got];
    })
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return Object.fromEntries(kept);
}

/** Without what is empty. @template {object} T @param {T} fields @returns {T} */
const filled = (fields) =>
  /** @type {T} */ (
    Object.fromEntries(
      Object.entries(fields).filter(
        ([, value]) =>
          value !== undefined && value !== '' && (typeof value !== 'object' || Object.keys(value).length > 0),
      ),
    )
  );

/** @param {readonly import('../case.mjs').Arrival[]} arrived @returns {any[]} */
export const spansOf = (arrived) =>
  arrived.flatMap(({ request }) =>
    request.resourceSpans.flatMap((/** @type {any} */ { scopeSpans }) =>
      scopeSpans.flatMap((/** @type {any} */ { spans }) => spans),
    ),
  );

/**
 * The spans as trees, roots sorted by what they say. A parent that did not arrive is told.
 *
 * @param {readonly import('../case.mjs').Arrival[]} arrived
 * @param {(text: string) => string} level
 * @returns {SpanNode[]}
 */
export function treesOf(arrived, level) {
  const spans = spansOf(arrived);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  if (byId.size !== spans.length) throw new Error('a span is there twice');
  const idText = (/** @type {string} */ id) => byId.get(id)?.name ?? id;
  const sorted = (/** @type {SpanNode[]} */ nodes) =>
    nodes
      .map((node) => /** @type {const} */ ([JSON.stringify(node), node]))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, node]) => node);
  const isRoot = (/** @type {any} */ span) => !byId.has(span.parentSpanId);
  /** @param {any} span @returns {SpanNode} */
  const nodeOf = (span) => {
    const children = spans.filter(({ parentSpanId }) => parentSpanId === span.spanId);
    for (const child of children)
      if (child.traceId !== span.traceId) throw new Error(`${child.name} is not in its parent's trace`);
    for (const time of [span.startTimeUnixNano, span.endTimeUnixNano])
      if (!/^\d{19}$/.test(time)) throw new Error(`${span.name}: no instant: ${time}`);
    if (BigInt(span.endTimeUnixNano) < BigInt(span.startTimeUnixNano))
      throw new Error(`${span.name} ends before it starts`);
    const { code = 0, message = '' } = span.status ?? {};
    return filled({
      name: level(span.name),
      kind: KINDS[span.kind ?? 0] ?? String(span.kind),
      parent: isRoot(span) ? span.parentSpanId : undefined,
      state: span.traceState,
      attributes: attributesOf(span.attributes, level),
      status: ['', 'ok', `error: ${level(message)}`][code],
      events: (span.events ?? []).map((/** @type {any} */ event) => ({
        name: event.name,
        ...attributesOf(event.attributes, level),
      })),
      links: (span.links ?? []).map((/** @type {any} */ link) => idText(link.spanId)),
      children: sorted(children.map(nodeOf)),
    });
  };
  return sorted(spans.filter(isRoot).map(nodeOf));
}

/**
 * Every field of every span with its resource and scope, as one text: equal in all runtimes.
 *
 * @param {readonly import('../case.mjs').Arrival[]} arrived
 * @param {(text: string) => string} level
 */
export function textOf(arrived, level) {
  const names = new Map(spansOf(arrived).map((span) => [span.spanId, span.name]));
  /** @param {any} value @param {string} [key] @returns {unknown} */
  const levelled = (value, key = '') => {
    if (/imeUnixNano$/.test(key)) return '(time)';
    if (key === 'traceId') return '(trace)';
    if (/[sS]panId$/.test(key)) return names.get(value) ?? '(elsewhere)';
    if (key === 'attributes')
      return value
        .filter((/** @type {any} */ pair) => !OF_THE_RUNTIME.test(pair.key))
        .map((/** @type {any} */ pair) =>
          pair.key === STACK
            ? { ...pair, value: '(stack)' }
            : pair.key === 'server.port'
              ? { ...pair, value: '(port)' }
              : levelled(pair),
        );
    if (Array.isArray(value)) return value.map((item) => levelled(item));
    if (typeof value === 'string') return level(value);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, levelled(item, name)]));
  };
  const lines = arrived.flatMap(({ request }) =>
    request.resourceSpans.flatMap((/** @type {any} */ { scopeSpans, ...resource }) =>
      scopeSpans.flatMap((/** @type {any} */ { spans, ...scope }) =>
        spans.map((/** @type {any} */ span) => JSON.stringify(levelled({ ...resource, ...scope, span }))),
      ),
    ),
  );
  return lines.sort().join('\n');
}
