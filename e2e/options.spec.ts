import { expect, test } from './support/fixtures.js';
import { tagPage } from './support/page-source.js';

declare global {
  var startError: (options: unknown) => string;
}

/** Each with the option that the error has to name. */
const MISTAKES: [options: unknown, named: string][] = [
  [undefined, 'start()'],
  [{}, '"service"'],
  [{ service: 'shop' }, '"endpoint"'],
  [{ service: 5, endpoint: '/spandrel' }, '"service"'],
  [{ service: 'shop', endpoint: 'ftp://files.example' }, '"endpoint"'],
  [{ service: 'shop', endpoint: 'http://' }, '"endpoint"'],
  [{ service: 'shop', endpoint: '/spandrel', scheduledDelayMillis: -1 }, '"scheduledDelayMillis"'],
  [{ service: 'shop', endpoint: '/spandrel', maxTracesPerBlob: 1.5 }, '"maxTracesPerBlob"'],
  [{ service: 'shop', endpoint: '/spandrel', poolSize: 0 }, '"poolSize"'],
  [{ service: 'shop', endpoint: '/spandrel', relay: 'perhaps' }, '"relay"'],
  [{ service: 'shop', endpoint: '/spandrel', fetch: 'no' }, '"fetch"'],
  [{ service: 'shop', endpoint: '/spandrel', servise: 'shop' }, '"servise"'],
];

test('options: a mistake is one TypeError that names the option, and nothing has begun', async ({
  page,
  site,
}) => {
  const code = `
    import { trace } from '@opentelemetry/api';
    import { start } from 'spandrel';
    globalThis.startError = (options) => {
      try {
        start(options);
        return 'started';
      } catch (error) {
        const begun = trace.getTracer('page').startSpan('a').isRecording();
        return [error.name, error.message, begun ? 'a tracer is there' : ''].join(' ');
      }
    };`;
  await site.run(page, code, { head: '<script src="/e2e/leftovers.js"></script>' });
  for (const [options, named] of MISTAKES) {
    const error = await page.evaluate((options) => globalThis.startError(options), options);
    expect(error, JSON.stringify(options)).toMatch(/^TypeError spandrel: \S.* $/);
    expect(error).toContain(named);
  }
  expect(await page.evaluate(() => globalThis.leftovers())).toEqual({
    timers: 0,
    listeners: [],
    fetch: 'as it was',
  });
  expect(site.mock.requests.list()).toEqual([]);
});

test('options: a mistake in the script tag is one line on the console, and the page goes on', async ({
  page,
  site,
}) => {
  const options = { service: site.service, endpoint: 'ftp://files.example' };
  // Caught in the page: of an error on the console, Firefox tells the driver no more than its name.
  const head =
    '<script>globalThis.lines = []; console.error = (...args) => lines.push(args.join());</script>';
  const body = '<script>globalThis.wentOn = true;</script>';
  await page.goto(site.serve(tagPage(options, { head, body })));
  expect(await page.evaluate('wentOn')).toBe(true);
  expect(await page.evaluate(() => globalThis.spandrel.instance)).toBe(undefined);
  expect(await page.evaluate('lines')).toEqual([
    expect.stringMatching(
      /^TypeError: spandrel: attribute data-endpoint takes .* got "ftp:\/\/files\.example"$/,
    ),
  ]);
});
