/** How the shop makes spans: one root for each route change or click, steps below it. */

/** `SpanStatusCode.ERROR` of the OpenTelemetry API. */
const STATUS_ERROR = 2;

/** The running SDK, or undefined where its script did not load: the shop works all the same. */
export const sdk = () => globalThis.spandrel?.instance;

/**
 * Runs `work` inside a new root span that ends when the work does. What it throws is recorded and thrown on.
 *
 * The SDK's context lasts for the synchronous part of `work` only, so fetches and steps must begin there.
 *
 * @template T
 * @param {string} name
 * @param {Record<string, string | number | boolean>} attributes
 * @param {(span: object | undefined) => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export function act(name, attributes, work) {
  return run(name, { root: true, attributes: { 'url.full': location.href, ...attributes } }, work);
}

/** The same below the span that is active now. */
export function step(name, attributes, work) {
  return run(name, { attributes }, work);
}

function run(name, options, work) {
  const within = async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span?.recordException(error);
      span?.setStatus({ code: STATUS_ERROR, message: error.message });
      throw error;
    } finally {
      span?.end();
    }
  };
  const tracer = sdk()?.tracer;
  return tracer === undefined ? within(undefined) : tracer.startActiveSpan(name, options, within);
}
