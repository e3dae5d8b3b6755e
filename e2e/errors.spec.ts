import { expect, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';

declare global {
  var log: string[];
  var throwAll: (foreign: string) => Promise<string[]>;
}

const exceptionsOf = (spans: OtlpSpan[]) =>
  spans.flatMap(({ name, events = [], status }) =>
    events
      .filter((event) => event.name === 'exception')
      .map(({ attributes }) => ({
        span: name,
        status: status?.code,
        type: attributeOf(attributes, 'exception.type'),
        message: String(attributeOf(attributes, 'exception.message')),
        stack: String(attributeOf(attributes, 'exception.stacktrace')),
        handled: attributeOf(attributes, 'spandrel.exception.handled'),
      })),
  );

/** What the page hears of its own errors, for a comparison: listeners of every kind, before us and after. */
const LISTEN = `
  globalThis.log = [];
  const say = (who) => (event) => void log.push(who + ' ' + event.type + ' ' + event.defaultPrevented);
  for (const type of ['error', 'unhandledrejection']) {
    addEventListener(type, say('bubble'));
    addEventListener(type, say('capture'), true);
  }`;
const BEFORE = `<script>{${LISTEN}
  onerror = (message, file, line, column, error) => void log.push('onerror ' + message + ' ' + typeof error);
  onunhandledrejection = () => void log.push('onunhandledrejection');
}</script>`;
/**
 * Everything that can be thrown, at a page. Each in a task of its own, in order. It has to be a script of the page:
 * Chromium tells nobody of what a driver's own code rejects.
 */
const throwAllInPage = async (foreign: string): Promise<string[]> => {
  const frame = document.body.appendChild(document.createElement('iframe'));
  const { TypeError: ForeignError } = frame.contentWindow as unknown as typeof globalThis;
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('a trap');
      },
    },
  );
  const shared = new RangeError('shared');
  const turn = () => new Promise((resolve) => setTimeout(resolve, 10));
  const values = [
    ...[new TypeError('plain'), 'a text', null, undefined, 7, Symbol('s'), { code: 7 }, hostile],
    ...[new DOMException('gone', 'AbortError'), new ForeignError('from a frame'), shared, shared],
    ...[
      new Error('outer', { cause: new TypeError('the cause') }),
      new AggregateError([new Error('one')], 'all'),
    ],
  ];
  for (const value of values) {
    setTimeout(() => {
      throw value;
    });
    await turn();
  }
  for (const reason of ['a reason', undefined, new Error('rejected')]) {
    void Promise.reject(reason);
    await turn();
  }
  const loaded = (element: HTMLElement, src: string): Promise<void> =>
    new Promise((resolve) => {
      element.onload = element.onerror = () => resolve();
      document.body.append(Object.assign(element, { src }));
    });
  await loaded(document.createElement('script'), foreign);
  await loaded(document.createElement('img'), '/no-such.png');
  dispatchEvent(new Event('error'));
  return globalThis.log;
};

const after = (): string => `<script>{
  globalThis.throwAll = ${throwAllInPage};
  addEventListener('error', (event) => { log.push('last ' + event.type); event.preventDefault(); });
  addEventListener('unhandledrejection', (event) => { log.push('last ' + event.type); event.preventDefault(); });
  addEventListener('error', (event) => event.stopImmediatePropagation());
}</script>`;

test('errors: whatever is thrown is told once, and the page hears what it would hear without us', async ({
  page,
  site,
  allowConsole,
  browserName,
}) => {
  allowConsole(/no-such\.png/, /exception: /);
  site.host.route('/foreign.js', (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/javascript' }).end('throw new Error("secret")');
  });
  const foreign = `${site.host.origin.replace('127.0.0.1', 'localhost')}/foreign.js`;
  await page.goto(site.serve(`<!doctype html><link rel="icon" href="data:,"><body>${BEFORE}${after()}`));
  const without = await page.evaluate((foreign) => globalThis.throwAll(foreign), foreign);

  await site.open(page, { errors: true }, { head: BEFORE, body: after() });
  expect(await page.evaluate((foreign) => globalThis.throwAll(foreign), foreign)).toEqual(without);
  expect(without).toContain('last error');
  await page.evaluate(() => globalThis.spandrel.recordException(new Error('caught')));
  await expect.poll(async () => exceptionsOf(await site.spans()).length).toBe(18);

  const told = exceptionsOf(await site.spans());
  expect(told.map(({ type, message }) => `${type}: ${message}`).sort()).toEqual(
    [
      ...['TypeError: plain', 'string: a text', 'null: null', 'undefined: undefined', 'number: 7'],
      ...['symbol: Symbol(s)', 'object: [object Object]', 'object: ', 'AbortError: gone'],
      ...['TypeError: from a frame', 'RangeError: shared', 'Error: outer', 'AggregateError: all'],
      ...[
        'string: a reason',
        'undefined: undefined',
        'Error: rejected',
        'Error: caught',
        // Firefox tells a page all when it is driven.
        browserName === 'firefox' ? 'Error: secret' : 'Error: Script error.',
      ],
    ].sort(),
  );
  for (const { span, type, status, handled, message } of told) {
    expect([span, status, handled]).toEqual([`error ${type}`, 2, message === 'caught']);
  }
  const stackOf = (text: string): string => told.find(({ message }) => message === text)?.stack ?? '';
  expect(stackOf('plain')).toMatch(/^TypeError: plain\n.*:\d+:\d+/);
  expect(stackOf('a text')).toMatch(/^at .*:\d+:\d+$/);
  expect(stackOf('outer')).toMatch(/\nCaused by: TypeError: the cause\n/);
  expect(stackOf('all')).toMatch(/\nCaused by: Error: one\n/);
  expect(stackOf('Script error.')).not.toContain('secret');
  expect(await page.evaluate(() => globalThis.spandrel.instance?.stats().exceptions)).toBe(0);
});

test('errors: on the active span, and no more than ten alike', async ({ page, site, allowConsole }) => {
  allowConsole(/exception: /);
  await site.open(page, { errors: true });
  await page.evaluate(async () => {
    const { tracer } = globalThis.spandrel.instance as NonNullable<typeof globalThis.spandrel.instance>;
    tracer.startActiveSpan('work', { root: true } as never, (span) => {
      reportError(new TypeError('within'));
      globalThis.spandrel.recordException(new Error('caught'));
      for (let index = 0; index < 12; index++) reportError(new Error('alike'));
      span.end();
    });
  });
  await site.expectStored(['work']);
  const [span] = (await site.spans()) as [OtlpSpan];
  expect(exceptionsOf([span]).map(({ message, handled }) => `${message} ${handled}`)).toEqual([
    ...['within false', 'caught true'],
    ...Array.from({ length: 10 }, () => 'alike false'),
  ]);
  expect(attributeOf(span.attributes, 'spandrel.errors.suppressed')).toBe(2);
});

test('errors: turned off, none is told but what is handed over; after shutdown, none', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/exception: /);
  await site.open(page);
  await page.evaluate(() => {
    reportError(new Error('unheard'));
    globalThis.spandrel.recordException(new Error('caught'));
  });
  await site.expectStored(['error Error']);
  await page.evaluate(() => globalThis.spandrel.instance?.shutdown());
  await page.evaluate(() => {
    reportError(new Error('unheard'));
    globalThis.spandrel.recordException(new Error('unheard'));
  });
  await site.expectStored(['error Error']);
});
