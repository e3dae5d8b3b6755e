// A server that renders pages is no page: the package, imported and used as an app's own modules use it, begins nothing there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const index = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href);
const entry = JSON.stringify(new URL('../../dist/otlp.js', import.meta.url).href);

/** Runs a module in a process of its own, and waits for that to end by itself. @param {string} code */
async function run(code) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { cwd: root });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const ended = new Promise((resolve) => child.on('exit', resolve));
  // What hangs does so for ever: this only ends the test.
  const timer = setTimeout(() => child.kill(), 60_000);
  const exitCode = await ended;
  clearTimeout(timer);
  return { exitCode, said };
}

const USE = `
  spandrel.tracer.startSpan('a').end();
  const inside = spandrel.tracer.startActiveSpan('b', (span) => { span.end(); return 7; });
  spandrel.recordException(new Error('caught'));
  spandrel.setConsent('granted');
  const more = [spandrel.mark(), await spandrel.flush(), typeof spandrel.stats().state, inside];
  spandrel.subscribe(() => {})();`;

for (const [name, code] of /** @type {const} */ ([
  ['a path', `start({ service: 'shop', endpoint: '/spandrel' })`],
  [
    'an absolute URL where nobody listens',
    `start({ service: 'shop', endpoint: 'http://127.0.0.1:1/spandrel' })`,
  ],
  ['bucket() of a path', `start({ service: 'shop', destination: bucket({ endpoint: '/spandrel' }) })`],
  ['otlp() of a path', `start({ service: 'shop', destination: otlp({ url: '/otlp' }) })`],
  [
    'two destinations',
    `start({ service: 'shop', destination: tee(bucket({ endpoint: '/a' }), otlp({ url: '/b' })) })`,
  ],
])) {
  test(`server rendering: start() with ${name} begins nothing, and the process ends`, async () => {
    const { exitCode, said } = await run(`
      import { bucket, start, tee } from ${index};
      import { otlp } from ${entry};
      // Not the symbols that Node sets itself.
      const names = () => Reflect.ownKeys(globalThis).filter((key) => !/undici/.test(String(key))).length;
      const before = names();
      const { fetch } = globalThis;
      const spandrel = ${code};${USE}
      console.log(JSON.stringify([fetch === globalThis.fetch, names() - before, ...more]));`);
    assert.equal(said.trim(), '[true,0,false,"lost","string",7]');
    assert.equal(exitCode, 0);
  });
}

for (const [name, destination] of /** @type {const} */ ([
  ['a path', `bucket({ endpoint: '/spandrel' })`],
  ['an absolute URL where nobody listens', `bucket({ endpoint: 'http://127.0.0.1:1/spandrel' })`],
])) {
  test(`server rendering: an app's own provider with an exporter of ${name} is made, throws nothing, and the process ends`, async () => {
    const { exitCode, said } = await run(`
      import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
      import { bucket, PageInstrumentation, sessionProcessor, TraceBatchProcessor, TraceExporter } from ${index};
      const exporter = new TraceExporter({ destination: ${destination} });
      const processor = new TraceBatchProcessor(exporter);
      const page = new PageInstrumentation({}, processor);
      const spanProcessors = [page.spanProcessor, sessionProcessor(exporter), processor];
      const provider = new BasicTracerProvider({ spanProcessors });
      page.setTracerProvider(provider);
      page.enable();
      for (let count = 0; count < 100; count++) provider.getTracer('app').startSpan('a').end();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { exceptions, spans } = exporter.stats();
      console.log(JSON.stringify([exceptions, spans.created]));`);
    assert.equal(said.trim(), '[0,100]');
    assert.equal(exitCode, 0);
  });
}
