/** What Cloudflare documents of its own Workers tracing.
 *
 * @see https://developers.cloudflare.com/workers/observability/traces/spans-and-attributes/
 */
/** Of a Worker with a binding to KV, by the documented names; Cloudflare does not say in which encoding. */
export function cloudflareRequests() {
  const now = BigInt(Date.now()) * 1_000_000n;
  const at = (/** @type {number} */ micros) => String(now + BigInt(micros) * 1_000n);
  const text = (/** @type {string} */ key, /** @type {string} */ stringValue) => ({
    key,
    value: { stringValue },
  });
  const whole = (/** @type {string} */ key, /** @type {number} */ value) => ({
    key,
    value: { intValue: String(value) },
  });
  const resource = {
    attributes: [
      text('cloud.provider', 'cloudflare'),
      text('cloud.platform', 'cloudflare.workers'),
      text('faas.name', 'shop-api'),
      text('faas.invocation_id', '01JABCDEF'),
      text('faas.invoked_region', 'weur'),
      text('service.name', 'shop-api'),
      text('cloudflare.colo', 'AMS'),
      text('cloudflare.script_version.id', '7c0a'),
      { key: 'cloudflare.script_tags', value: { arrayValue: { values: [{ stringValue: 'live' }] } } },
      text('telemetry.sdk.language', 'javascript'),
      text('telemetry.sdk.name', 'cloudflare'),
    ],
  };
  const traceId = '5b8efff798038103d269b633813fc60d';
  const root = {
    traceId,
    spanId: 'eee19b7ec3c1b174',
    name: 'GET',
    kind: 2,
    startTimeUnixNano: at(-9_000),
    endTimeUnixNano: at(0),
    attributes: [
      text('faas.trigger', 'http'),
      text('cloudflare.ray_id', '8f00aa11bb22cc33'),
      whole('http.response.status_code', 200),
    ],
    status: {},
  };
  const kv = {
    traceId,
    spanId: 'eee19b7ec3c1b175',
    parentSpanId: root.spanId,
    name: 'kv_get',
    kind: 3,
    startTimeUnixNano: at(-7_000),
    endTimeUnixNano: at(-2_000),
    attributes: [whole('cloudflare.invocation.sequence.number', 3), text('db.system.name', 'cloudflare-kv')],
  };
  const record = {
    timeUnixNano: at(-1_000),
    observedTimeUnixNano: at(-1_000),
    severityNumber: 9,
    severityText: 'INFO',
    body: { stringValue: 'priced' },
    attributes: [whole('cloudflare.invocation.sequence.number', 4)],
    traceId,
    spanId: root.spanId,
  };
  const scope = { name: 'cloudflare' };
  return {
    traces: { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: [root, kv] }] }] },
    logs: { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [record] }] }] },
  };
}
