/** What the shop says to the SDK itself. Loads, routes, clicks, fetches, vitals and errors come of the script tag. */

/** `SpanStatusCode.ERROR` of the OpenTelemetry API. */
const STATUS_ERROR = 2;

/** The running SDK, or undefined where its script did not load: the shop works all the same. */
export const sdk = () => globalThis.spandrel?.instance;

/** Reports an error that the shop has caught, as if nobody had. */
export const report = (error) => sdk()?.recordException(error);

/**
 * Runs `work` inside a span of the shop's own, below what the page is doing. It ends when the work does; what that
 * throws is recorded and thrown on. Fetches that begin in the synchronous part of `work` are its children.
 *
 * @template T
 * @param {string} name
 * @param {Record<string, string | number | boolean>} attributes
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function step(name, attributes, work) {
  const tracer = sdk()?.tracer;
  if (tracer === undefined) return work();
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: STATUS_ERROR, message: error.message });
      throw error;
    } finally {
      span.end();
    }
  });
}
