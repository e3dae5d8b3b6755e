// In the pages of the fault suite: traces with names that are known beforehand. `copies` are the SDKs of the page,
// in the order of their script tags.
globalThis.emit = (name, traces, spans, { copy = 0, noiseBytes = 0 } = {}) => {
  const { tracer } = copies[copy];
  const noise = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(noiseBytes))));
  const options = () => (noiseBytes ? { attributes: { noise: noise() } } : {});
  for (let trace = 1; trace <= traces; trace++) {
    tracer.startActiveSpan(`${name} ${trace}`, { root: true, ...options() }, (root) => {
      for (let span = 2; span <= spans; span++) tracer.startSpan(`${name} ${trace}.${span}`, options()).end();
      root.end();
    });
  }
};

globalThis.persisted = false;
addEventListener('pageshow', (event) => {
  globalThis.persisted = event.persisted;
});
