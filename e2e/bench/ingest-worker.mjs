// The Worker that `ingest-bench.mjs` measures.
import { issue } from './ingest-measure.mjs';

export default {
  /** @param {Request} request */
  async fetch(request) {
    const query = new URL(request.url).searchParams;
    await issue(String(query.get('way')), Number(query.get('batch')), Number(query.get('urls')));
    return new Response('ok');
  },
};
