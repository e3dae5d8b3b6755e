/** Visits to a page as OTLP/JSON, in the attributes that the page's tracing writes. */
import { gzipSync } from 'node:zlib';

const ROUTES = ['/', '/shop/product/:id', '/shop/cart', '/shop/about'];

/** @param {number} number @param {number} digits */
const hex = (number, digits) => number.toString(16).padStart(digits, '0');

/** @param {Record<string, string | number | boolean | undefined>} values */
const attributes = (values) =>
  Object.entries(values).flatMap(
    /** @returns {{ key: string, value: object }[]} */ ([key, value]) => {
      if (value === undefined) return [];
      if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
      return [{ key, value: typeof value === 'boolean' ? { boolValue: value } : { doubleValue: value } }];
    },
  );

/**
 * @typedef {object} VisitOptions
 * @property {number} [sessions] Default 1.
 * @property {number} [traces] of each session. Default 4.
 * @property {number} [endedAt] epoch milliseconds, when the last session ended. Default now.
 *
 * @param {VisitOptions} [options]
 * @returns {object[]} for each session one `ExportTraceServiceRequest`; the first load of a session is slow and fails,
 *   and every second session is sampled 1 in 10
 */
export function visits({ sessions = 1, traces = 4, endedAt = Date.now() } = {}) {
  let ids = 0;
  const length = traces * 10_000;

  /** @param {number} session */
  const request = (session) => {
    const began = endedAt - (sessions - session) * (length + 60_000);
    const shared = { 'session.id': hex(session + 1, 32) };
    /** @type {object[]} */
    const spans = [];
    /**
     * @param {string} name @param {string} traceId @param {string | undefined} parent @param {number} start
     * @param {number} duration @param {Parameters<typeof attributes>[0]} own @param {object} [more]
     */
    const add = (name, traceId, parent, start, duration, own, more = {}) => {
      const spanId = hex(++ids, 16);
      const nano = (/** @type {number} */ millis) => String(BigInt(Math.round(millis * 1_000)) * 1_000n);
      spans.push({
        traceId,
        spanId,
        ...(parent && { parentSpanId: parent }),
        name,
        kind: own['http.request.method'] ? 3 : 1,
        startTimeUnixNano: nano(start),
        endTimeUnixNano: nano(start + duration),
        attributes: attributes({ ...shared, ...own }),
        ...more,
      });
      return spanId;
    };
    for (let index = 0; index < traces; index++) {
      const start = began + index * 10_000;
      const nano = String(BigInt(start + 900) * 1_000_000n);
      const traceId = hex((session + 1) * 100_000 + index, 32);
      const route = ROUTES[index % ROUTES.length] ?? '/';
      const kind = index === 0 ? 'load' : index % 3 === 2 ? 'interaction' : 'route';
      const click = { 'spandrel.interaction.type': 'click', 'spandrel.interaction.target': 'Add to cart' };
      const event = (/** @type {string} */ name, /** @type {Parameters<typeof attributes>[0]} */ own) => ({
        name,
        timeUnixNano: nano,
        attributes: attributes(own),
      });
      const root = add(
        kind === 'interaction' ? 'click Add to cart' : `${kind} ${route}`,
        traceId,
        undefined,
        start,
        1_900,
        {
          'spandrel.activity.type': kind,
          'spandrel.activity.end': 'quiet',
          'browser.document.url.full': `http://shop.test${route.replace(':id', 'trowel')}`,
          'url.template': route,
          'session.previous_id': session > 0 ? hex(session, 32) : undefined,
          'spandrel.session.started_at': new Date(began).toISOString(),
          'spandrel.sampling.probability': session % 2 ? 0.1 : undefined,
          ...(kind === 'interaction' && click),
        },
        kind === 'route'
          ? {
              events: [{ name: 'click', timeUnixNano: `${start}000000`, attributes: attributes(click) }],
            }
          : {},
      );
      /** @param {string} name @param {number} value @param {string} rating @param {number} [at] */
      const vital = (name, value, rating, at = 0) =>
        add(`web-vital ${name}`, traceId, root, start + at, name === 'CLS' ? 0 : value, {
          'browser.web_vital.name': name.toLowerCase(),
          'browser.web_vital.value': value,
          'browser.web_vital.rating': rating,
          'browser.web_vital.id': `v5-${traceId}-${name}`,
        });
      if (kind === 'load') {
        vital('TTFB', 90, 'good');
        vital('FCP', 480, 'good');
        vital('LCP', 1_600, session % 3 ? 'needs-improvement' : 'good');
        vital('CLS', 0.31, 'poor', 1_100);
      } else vital('INP', kind === 'route' ? 72 : 260, kind === 'route' ? 'good' : 'needs-improvement');
      const own = { 'http.request.method': 'GET', 'url.full': 'http://shop.test/api/products' };
      const fails = index === 0;
      add('GET', traceId, root, start + 200, 700, own, {
        ...(fails && {
          status: { code: 2 },
          events: [
            event('exception', {
              'exception.type': 'TypeError',
              'exception.message': "Cannot read properties of undefined (reading 'street')",
              'exception.stacktrace': 'TypeError: Cannot read properties\n    at checkout (app.mjs:10:3)',
            }),
          ],
        }),
      });
      add('long-animation-frame', traceId, root, start + 1_000, 180, {
        'spandrel.long_frame.blocking_millis': 130,
      });
    }
    const resource = { attributes: attributes({ 'service.name': 'shop' }) };
    return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'spandrel' }, spans }] }] };
  };
  return Array.from({ length: sessions }, (_, session) => request(session));
}

/** The same as the bytes of objects. @param {VisitOptions} [options] */
export const visitObjects = (options) => visits(options).map((request) => gzipSync(JSON.stringify(request)));
