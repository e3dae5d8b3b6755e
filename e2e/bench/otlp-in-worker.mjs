// The Worker that `otlp-in-bench.mjs` measures.
import { take } from './otlp-in-measure.mjs';

/** @param {string} text */
const bytesOf = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

export default {
  /** @param {Request} request @param {{ BODIES: Record<string, Record<string, string>> }} env In base64. */
  async fetch(request, env) {
    const query = new URL(request.url).searchParams;
    const texts = env.BODIES[String(query.get('spans'))] ?? {};
    const bodies = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, bytesOf(text)]));
    await take(String(query.get('way')), /** @type {any} */ (bodies), Number(query.get('requests')));
    return new Response('ok');
  },
};
