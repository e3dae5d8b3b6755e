/** What OpenTelemetry's own browser package says of a page, and what ours says of the same: names and values. */
import { expect, plainPage, type Site, test } from './support/fixtures.js';
import { attributeOf, type KeyValue, type OtlpSpan } from './support/otlp.js';

/** A log record of theirs. */
interface Told {
  eventName: string;
  attributes: Record<string, unknown>;
}

const TIMES = 'the start, the end and the events of the span';
/** Where ours says nothing under that name, or something else, and why. `*` stands for any name. */
const EXPLAINED: Record<string, string> = {
  'browser.web_vital browser.web_vital.id': 'each copy of web-vitals has its own',
  'browser.resource_timing url.full': 'query values are replaced',
  'browser.resource_timing browser.resource_timing.encoded_body_size': 'http.response.body.size',
  'browser.resource_timing browser.resource_timing.*': TIMES,
  'browser.navigation_timing url.full': 'the page is browser.document.url.full; requests have url.full',
  'browser.navigation_timing browser.resource_timing.*': TIMES,
  'browser.navigation_timing browser.navigation_timing.*': TIMES,
  'browser.navigation url.full': 'the page is browser.document.url.full; requests have url.full',
  'browser.navigation browser.navigation.*': 'a route is a span, linked to the one before',
  'browser.user_action.click browser.*': 'a click is a span, and its target is spandrel.interaction.target',
};

/** The endpoint, and what a module of ours imports. */
const OWN_REQUEST = /\/spandrel$|\/dist\/|r2\./;

const plainOf = (attributes: KeyValue[] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key }) => [key, attributeOf(attributes, key)]));

/** Runs a page with both, until it has left; gives what each said of it. */
async function play(
  site: Site,
  page: Parameters<Site['run']>[0],
): Promise<{ theirs: Told[]; spans: OtlpSpan[] }> {
  const names = ['errors', 'navigation', 'navigation-timing', 'resource-timing', 'user-action', 'web-vitals'];
  const classes = names.map((name) => name.replace(/(^|-)[a-z]/g, (text) => text.slice(-1).toUpperCase()));
  const options = { service: site.service, endpoint: '/spandrel', scheduledDelayMillis: 0 };
  await site.run(
    page,
    `import { start } from 'spandrel';
    ${names
      .map((name, index) => {
        const from = `@opentelemetry/browser-instrumentation/experimental/${name}`;
        return `import { ${classes[index]}Instrumentation } from '${from}';`;
      })
      .join('\n')}
    const told = [];
    const emit = ({ eventName, attributes }) => {
      told.push({ eventName, attributes });
      localStorage.setItem('theirs', JSON.stringify(told));
    };
    for (const Instrumentation of [${classes.map((name) => `${name}Instrumentation`).join()}]) {
      const instrumentation = new Instrumentation({ enabled: false });
      instrumentation.setLoggerProvider({ getLogger: () => ({ emit }) });
      instrumentation.enable();
    }
    start(${JSON.stringify(options)});`,
    {
      body: `<div id="gap"></div><p>Words</p><img src="/icon.svg?size=8&token=secret" alt="" width="200">
      <script>
        document.querySelector('#act').onclick = () => {
          const end = performance.now() + 120;
          while (performance.now() < end);
          throw new RangeError('thrown by a click');
        };
        setTimeout(() => { document.querySelector('#gap').style.height = '200px'; }, 700);
      </script>`,
    },
  );
  await page.waitForFunction(() => performance.now() > 1_200);
  await page.click('#act');
  await page.waitForFunction(() => performance.getEntriesByType('first-input').length > 0);
  await page.evaluate(() => history.pushState({}, '', `${location.pathname}/two`));
  site.host.page('/away', plainPage());
  await page.goto(`${site.host.origin}/away`);
  await expect.poll(async () => (await site.spans()).map(({ name }) => name)).toContain('web-vital CLS');
  const theirs = await page.evaluate(() => JSON.parse(localStorage.getItem('theirs') ?? ''));
  return { theirs, spans: await site.spans() };
}

/** Ours of the same: the attributes of a span or of an event. */
function ourOf({ eventName, attributes }: Told, spans: OtlpSpan[]): Record<string, unknown> | undefined {
  const spanOf = (isIt: (span: Record<string, unknown>, name: string) => boolean) =>
    spans
      .map(({ name, attributes: own }) => ({ name, own: plainOf(own) }))
      .find(({ name, own }) => isIt(own, name))?.own;
  const activity = (kind: string) => spanOf((own) => own['spandrel.activity.type'] === kind);
  switch (eventName) {
    case 'browser.web_vital':
      return spanOf((own) => own['browser.web_vital.name'] === attributes['browser.web_vital.name']);
    case 'browser.resource_timing': {
      const url = String(attributes['url.full']).replace(/=[^&]*/g, '=REDACTED');
      return spanOf((own, name) => name === 'resourceFetch' && own['url.full'] === url);
    }
    case 'browser.navigation_timing':
      return activity('load');
    case 'browser.navigation':
      return activity(attributes['browser.navigation.type'] === undefined ? 'load' : 'route');
    case 'browser.user_action.click':
      return activity('interaction') ?? activity('route');
    case 'exception':
      return plainOf(
        spans.flatMap(({ events = [] }) => events).find(({ name }) => name === 'exception')?.attributes,
      );
    default:
      return undefined;
  }
}

test('conventions: what OpenTelemetry’s browser package says goes by the same names, with the same values', async ({
  page,
  site,
  browserName,
  allowConsole,
}) => {
  test.skip(browserName !== 'chromium', 'the package is looked at in Chromium');
  allowConsole(/thrown by a click/);
  const { theirs, spans } = await play(site, page);
  expect([...new Set(theirs.map(({ eventName }) => eventName))].sort()).toEqual([
    ...['browser.navigation', 'browser.navigation_timing', 'browser.resource_timing'],
    ...['browser.user_action.click', 'browser.web_vital', 'exception'],
  ]);
  const vitals = theirs.map(({ attributes }) => attributes['browser.web_vital.name']).filter(Boolean);
  expect(vitals.sort()).toEqual(['cls', 'fcp', 'inp', 'lcp', 'ttfb']);

  const same = new Set<string>();
  const differences: string[] = [];
  for (const their of theirs) {
    const { eventName, attributes } = their;
    const our = ourOf(their, spans);
    // What ours itself asks for is traced by nobody but theirs.
    if (!our && OWN_REQUEST.test(String(attributes['url.full']))) continue;
    expect(our, JSON.stringify(their)).toBeDefined();
    for (const [name, value] of Object.entries(attributes)) {
      const names = [name, name.replace(/[^.]*$/, '*'), 'browser.*'].map((one) => `${eventName} ${one}`);
      if (our?.[name] === value) same.add(names[0] as string);
      else if (!names.some((one) => EXPLAINED[one]))
        differences.push(`${names[0]}: ${value}, ours ${our?.[name]}`);
    }
  }
  expect(differences).toEqual([]);
  expect([...same].sort()).toEqual([
    'browser.navigation_timing browser.navigation_timing.type',
    'browser.resource_timing browser.resource_timing.initiator_type',
    'browser.resource_timing url.full',
    ...['delta', 'name', 'navigation_type', 'rating', 'value'].map(
      (name) => `browser.web_vital browser.web_vital.${name}`,
    ),
    ...['message', 'stacktrace', 'type'].map((name) => `exception exception.${name}`),
  ]);
});

test('conventions: who speaks is on the resource and on every root', async ({ page, site, browserName }) => {
  await site.open(page, { routes: true, fetch: true });
  await page.evaluate(async () => {
    globalThis.spandrel.instance?.tracer.startSpan('own').end();
    history.pushState({}, '', '/elsewhere');
    await fetch('/icon.svg').then((answer) => answer.text());
    await globalThis.spandrel.flush();
  });
  await expect.poll(async () => (await site.spans()).length).toBeGreaterThanOrEqual(3);
  const said = await page.evaluate(() => {
    const { userAgent, language, webdriver, userAgentData } = navigator as Navigator & {
      userAgentData?: { brands: { brand: string; version: string }[]; mobile: boolean; platform: string };
    };
    const { brands, mobile, platform } = userAgentData ?? {};
    const named = brands?.map(({ brand, version }) => `${brand} ${version}`);
    return { userAgent, language, webdriver, brands: named, mobile, platform };
  });
  const spans = await site.spans();
  const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
  expect(roots.map(({ name }) => name).sort()).toEqual(['own', 'route /elsewhere']);
  for (const { parentSpanId, attributes } of spans) {
    const isRoot = !parentSpanId;
    expect(attributeOf(attributes, 'user_agent.original')).toBe(isRoot ? said.userAgent : undefined);
    const type = said.webdriver ? 'test' : undefined;
    expect(attributeOf(attributes, 'user_agent.synthetic.type')).toBe(isRoot ? type : undefined);
  }
  const [object] = await site.objects();
  const { attributes = [] } = object?.request.resourceSpans[0]?.resource ?? {};
  expect(attributeOf(attributes, 'browser.language')).toBe(said.language);
  expect(attributeOf(attributes, 'browser.platform')).toBe(said.platform);
  expect(attributeOf(attributes, 'browser.mobile')).toBe(said.mobile);
  const { values } = attributes.find(({ key }) => key === 'browser.brands')?.value.arrayValue ?? {};
  expect(values?.map(({ stringValue }) => stringValue)).toEqual(said.brands);
  expect(said.brands === undefined).toBe(browserName !== 'chromium');
});
