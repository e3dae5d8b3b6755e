/** Traces as the page's tracing writes them, for tests. */

/** @param {Record<string, unknown>} values */
export const attributes = (values) =>
  Object.entries(values).map(([key, value]) => ({ key, type: typeof value, text: String(value) }));

let count = 0;

/**
 * A span as `parse-otlp.mjs` gives it.
 *
 * @param {Partial<Record<keyof import('../parse-otlp.mjs').Span, unknown>>} [given] Whatever a test looks at.
 * @returns {import('../parse-otlp.mjs').Span}
 */
export const span = (given = {}) => ({
  traceId: 'a'.repeat(32),
  spanId: (++count).toString(16).padStart(16, '0'),
  parentSpanId: '',
  name: 'span',
  kind: 'internal',
  start: 1_000n,
  end: 5_000n,
  status: { code: 'unset', message: '' },
  attributes: [],
  events: [],
  links: [],
  dropped: { attributes: 0, events: 0, links: 0 },
  traceState: '',
  flags: 0,
  resource: { serviceName: 'shop', attributes: [], schemaUrl: '' },
  scope: { name: 'spandrel', version: '', attributes: [], schemaUrl: '' },
  .../** @type {object} */ (given),
});

/**
 * An activity with a child; `errors` are messages, the earliest last.
 *
 * @param {{ kind?: string, clicked?: string, errors?: string[], more?: object }} [options]
 */
export function pageTrace({ kind = 'load', clicked, errors = [], more = {} } = {}) {
  const session = { 'session.id': 's'.repeat(32) };
  const click = { 'spandrel.interaction.type': 'click', 'spandrel.interaction.target': clicked };
  const root = span({
    name: `${kind} /product/:id`,
    attributes: attributes({
      ...session,
      'spandrel.activity.type': kind,
      'spandrel.activity.end': 'quiet',
      'url.template': '/product/:id',
      ...(kind === 'interaction' ? click : {}),
      ...more,
    }),
    events:
      clicked && kind === 'route' ? [{ name: 'click', time: 1_000n, attributes: attributes(click) }] : [],
  });
  const events = errors.map((message, index) => ({
    name: 'exception',
    time: 4_000n - BigInt(index),
    attributes: attributes({ 'exception.type': 'TypeError', 'exception.message': message }),
  }));
  return [root, span({ name: 'GET', parentSpanId: root.spanId, attributes: attributes(session), events })];
}
