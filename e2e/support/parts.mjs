/** Options of `start()` for pages that make their own spans, and want no others. */
export const NO_PARTS = {
  ...{ documentLoad: false, fetch: false, xhr: false, routes: false, interactions: false },
  ...{ resources: false, longFrames: false, webVitals: false, errors: false, frustration: false },
};
