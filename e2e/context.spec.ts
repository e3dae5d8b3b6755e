/** Who and what spans are about, on the built script tag. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, makeTraces, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';

const STUB = readFileSync(new URL('../dist/stub.js', import.meta.url), 'utf8');
const NOTE = 'spandrel-1 context';

/** The span of this name, once it is stored. */
async function stored(site: Site, name: string): Promise<OtlpSpan> {
  const find = async (): Promise<OtlpSpan | undefined> =>
    (await site.spans()).find((span) => span.name === name);
  await expect.poll(find, { message: name }).toBeTruthy();
  return (await find()) as OtlpSpan;
}
const saidBy = async (site: Site, name: string): Promise<Record<string, unknown>> => {
  const { attributes } = await stored(site, name);
  const names = ['user.id', 'user.email', 'shop.plan'];
  return Object.fromEntries(names.map((one) => [one, attributeOf(attributes, one)]));
};
const evaluationsOf = ({ events = [] }: OtlpSpan): unknown[] =>
  events
    .filter(({ name }) => name === 'feature_flag.evaluation')
    .map(({ attributes }) => [
      attributeOf(attributes, 'feature_flag.key'),
      attributeOf(attributes, 'feature_flag.result.variant'),
    ]);
const kept = (page: Page): Promise<string | null> =>
  page.evaluate((note) => sessionStorage.getItem(note), NOTE);
const errorsOf = (page: Page): Promise<string[]> =>
  page.evaluate(() => globalThis.spandrel.instance?.stats().errors.map(({ message }) => message) ?? []);

test('context: a user known late marks the load that is on, its parts that ended later, and what follows', async ({
  page,
  site,
}) => {
  const body = `<script type="module">
    globalThis.spandrel.setUser({ id: 'u-42', email: 'a@b.test' });
    globalThis.spandrel.setAttributes({ 'shop.plan': 'pro', token: 'hush', 'cart.url': '/cart?key=hush' });
    globalThis.spandrel.setFlag('checkout', 'one-page');
    await (await fetch('/icon.svg?mine')).text();
  </script>`;
  await site.open(page, { documentLoad: true, fetch: true }, { body });
  const known = { 'user.id': 'u-42', 'user.email': 'a@b.test', 'shop.plan': 'pro' };
  await stored(site, 'GET');
  const isLoad = ({ name }: OtlpSpan): boolean => name.startsWith('load ');
  await expect.poll(async () => (await site.spans()).some(isLoad)).toBe(true);
  const spans = await site.spans();
  const root = spans.find(isLoad) as OtlpSpan;
  for (const name of [root.name, 'GET']) expect(await saidBy(site, name), name).toEqual(known);
  expect(evaluationsOf(root)).toEqual([['checkout', 'one-page']]);
  expect(evaluationsOf(await stored(site, 'GET'))).toEqual([]);
  expect(attributeOf(root.attributes, 'cart.url')).toBe('/cart?key=REDACTED');
  expect(JSON.stringify(spans)).not.toContain('hush');

  await page.evaluate(() => {
    globalThis.spandrel.setUser(null);
    globalThis.spandrel.setAttributes({ 'shop.plan': null });
    globalThis.spandrel.setFlag('checkout', null);
  });
  await makeTraces(page, ['nobody']);
  expect(await saidBy(site, 'nobody')).toEqual({});
  expect(evaluationsOf(await stored(site, 'nobody'))).toEqual([]);
});

test('context: by the tag; a mistake in a call is told and no exception; after shutdown nothing happens', async ({
  page,
  site,
}) => {
  await site.open(page, { user: 'u-7', attributes: '{&quot;shop.plan&quot;:&quot;pro&quot;}' });
  await makeTraces(page, ['tagged'], 1);
  for (const name of ['tagged', 'tagged child 1']) {
    expect(await saidBy(site, name)).toEqual({ 'user.id': 'u-7', 'shop.plan': 'pro' });
  }
  await page.evaluate(() => {
    const { spandrel } = globalThis;
    const thrower = Object.defineProperty({}, 'x', {
      enumerable: true,
      get() {
        throw new Error('a getter of the page');
      },
    });
    spandrel.setAttributes(
      Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`a${index}`, 1])),
    );
    spandrel.setAttributes({ 'shop.plan': {} } as never);
    spandrel.setUser('u-8' as never);
    spandrel.setUser(thrower);
    spandrel.setFlag('', 'on');
    (spandrel.setFlag as () => void)();
  });
  await makeTraces(page, ['as before']);
  expect(await saidBy(site, 'as before')).toEqual({ 'user.id': 'u-7', 'shop.plan': 'pro' });
  expect((await errorsOf(page)).join()).toContain('spandrel: option "flags" takes up to 64');
  await page.evaluate(async () => {
    const { spandrel } = globalThis;
    await spandrel.instance?.shutdown();
    spandrel.setUser({ id: 'late' });
    spandrel.instance?.setUser({ id: 'late' });
    spandrel.instance?.setAttributes(null);
    spandrel.instance?.setFlag('late', 'on');
  });
});

test('context: a mistake in an attribute of the tag is one line that names it', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/attribute data-attributes takes up to 64 strings, numbers, .* got "plan=pro"/);
  await site.open(page, { attributes: 'plan=pro' });
  expect(await page.evaluate(() => globalThis.spandrel.instance)).toBe(undefined);
});

test('context: said to the stub and to the file before anything ran, in order', async ({ page, site }) => {
  const data = `data-service="${site.service}" data-endpoint="/spandrel" data-scheduled-delay-millis="0"
    data-document-load="false" data-web-vitals="false"`;
  const calls = `<script>
    spandrel.setUser({ id: 'first' });
    spandrel.setFlag('checkout', 'one-page');
    spandrel.setUser({ id: 'second' });
  </script>`;
  const head = `<script ${data} data-src="/dist/script.js">${STUB}</script>${calls}`;
  await page.goto(site.serve(`<!doctype html><title>Stub</title><link rel="icon" href="data:,">${head}`));
  await page.waitForFunction(() => globalThis.spandrel.instance);
  await page.evaluate(() => globalThis.spandrel.instance?.tracer.startSpan('stubbed').end());
  expect(await saidBy(site, 'stubbed')).toEqual({ 'user.id': 'second' });
  expect(evaluationsOf(await stored(site, 'stubbed'))).toEqual([['checkout', 'one-page']]);

  await page.goto(
    site.serve(
      '<!doctype html><title>Later</title><link rel="icon" href="data:,"><script src="/dist/script.js"></script>',
    ),
  );
  await page.evaluate((service) => {
    const { spandrel } = globalThis;
    spandrel.setUser({ id: 'before' });
    const { tracer } = spandrel.start({ service, endpoint: '/spandrel', scheduledDelayMillis: 0 });
    tracer.startSpan('started').end();
  }, site.service);
  expect(await saidBy(site, 'started')).toEqual({ 'user.id': 'before' });
});

test('context: a hashed id, and at no time the plain one', async ({ page, site }) => {
  await site.open(page, { user: '{&quot;id&quot;:&quot;u-42&quot;,&quot;hash&quot;:true}' });
  const hash = createHash('sha256').update('u-42').digest('hex');
  await makeTraces(page, ['hashed']);
  expect(await saidBy(site, 'hashed')).toEqual({ 'user.id': hash });
  expect(JSON.stringify(await site.spans())).not.toContain('u-42');
});

test('context: kept for the next page of the tab where that is asked for, and until the user denies', async ({
  page,
  site,
  context,
}) => {
  const options = { persistContext: true, consent: 'pending' };
  const url = await site.open(page, options);
  const lateCame = (): Promise<unknown> =>
    page.waitForFunction(
      () => performance.getEntriesByName(new URL('/dist/late.js', location.href).href).length,
    );
  await page.evaluate(() => {
    globalThis.spandrel.setUser({ id: 'u-42', hash: true });
    globalThis.spandrel.setFlag('checkout', 'one-page');
  });
  await page.reload();
  expect(await kept(page), 'nothing was kept while nobody had consented').toBe(null);

  const say = (): Promise<void> =>
    page.evaluate(() => {
      const { spandrel } = globalThis;
      spandrel.setConsent('granted');
      spandrel.setUser({ id: 'u-42', hash: true });
      spandrel.setFlag('checkout', 'one-page');
    });
  await say();
  await lateCame();
  const userOfSpan = (): Promise<unknown> =>
    page.evaluate(() => {
      const span = globalThis.spandrel.instance?.tracer.startSpan('probe');
      span?.end();
      return (span as unknown as { attributes: Record<string, unknown> }).attributes['user.id'];
    });
  const hash = createHash('sha256').update('u-42').digest('hex');
  await expect.poll(userOfSpan).toBe(hash);
  await makeTraces(page, ['known']);
  expect(await saidBy(site, 'known')).toEqual({ 'user.id': hash });
  await page.reload();
  expect(await kept(page)).toContain(hash);
  expect(await kept(page)).not.toContain('u-42');
  // The second file comes while nobody has decided.
  await lateCame();
  await page.evaluate(() => globalThis.spandrel.setConsent('granted'));
  await expect.poll(userOfSpan).toBe(hash);
  await makeTraces(page, ['reloaded']);
  expect(await saidBy(site, 'reloaded')).toEqual({ 'user.id': hash });
  expect(evaluationsOf(await stored(site, 'reloaded'))).toEqual([['checkout', 'one-page']]);

  // Another tab is another visitor, for all that we know.
  const other = await context.newPage();
  await other.goto(url);
  expect(await kept(other)).toBe(null);
  await other.close();

  await page.evaluate(() => globalThis.spandrel.setConsent('denied'));
  await expect.poll(() => kept(page)).toBe(null);
  await page.evaluate(() => globalThis.spandrel.setConsent('granted'));
  await makeTraces(page, ['after']);
  expect(await saidBy(site, 'after')).toEqual({});
  expect(evaluationsOf(await stored(site, 'after'))).toEqual([]);
});
