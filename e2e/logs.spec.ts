/** OpenTelemetry's own browser package, with its own SDK of logs, and us as the only exporter. */
import { gunzipSync } from 'node:zlib';
import { expect, plainPage, type Site, test } from './support/fixtures.js';
import { attributeOf, type KeyValue } from './support/otlp.js';
import { BROWSER_PARTS } from './support/vendor.mjs';

interface LogRecord {
  eventName?: string;
  severityNumber?: number;
  body?: { stringValue?: string };
  attributes?: KeyValue[];
}

/** Log records in the bucket, each object opened by Node's zlib. */
async function logsOf(site: Site): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (const { key } of await site.mock.bucket.list()) {
    if (!key.includes('/logs_')) continue;
    const bytes = await site.mock.bucket.get(key);
    const { resourceLogs } = JSON.parse(gunzipSync(bytes ?? new Uint8Array()).toString());
    for (const { resource, scopeLogs } of resourceLogs) {
      if (attributeOf(resource.attributes, 'service.name') !== site.service) continue;
      for (const { logRecords } of scopeLogs) records.push(...logRecords);
    }
  }
  return records;
}

const CLASSES = BROWSER_PARTS.map(
  (name) => `${name.replace(/(^|-)[a-z]/g, (text) => text.slice(-1).toUpperCase())}Instrumentation`,
);

/** The page's module, with all of their instrumentations. */
const codeOf = (service: string): string => `
  import { resourceFromAttributes } from '@opentelemetry/resources';
  import { LoggerProvider } from '@opentelemetry/sdk-logs';
  import { bucket } from 'spandrel';
  import { LogBatchProcessor, LogExporter } from 'spandrel/logs';
  ${BROWSER_PARTS.map((name, at) => `import { ${CLASSES[at]} } from '@opentelemetry/browser-instrumentation/experimental/${name}';`).join('\n')}
  const exporter = new LogExporter({ destination: bucket({ endpoint: '/spandrel' }) });
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': ${JSON.stringify(service)} }),
    processors: [new LogBatchProcessor(exporter)],
  });
  for (const Instrumentation of [${CLASSES.join()}]) {
    const instrumentation = new Instrumentation({ enabled: false });
    instrumentation.setLoggerProvider(provider);
    instrumentation.enable();
  }
  globalThis.stats = () => exporter.stats();
  globalThis.provider = provider;
  globalThis.exporter = exporter;`;

test('logs: what OpenTelemetry’s browser package tells of a page is in the bucket, redacted, once', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/thrown by a click|a warning/);
  await site.run(page, codeOf(site.service), {
    body: `<p>Words</p><img src="/icon.svg?token=secret" alt="" width="200">
      <script>document.querySelector('#act').onclick = () => {
        console.warn('a warning of https://shop.test/?token=secret');
        throw new RangeError('thrown by a click');
      };</script>`,
  });
  await page.click('#act');
  await page.evaluate(() => history.pushState({}, '', `${location.pathname}/two`));
  // The last words go as the page leaves.
  site.host.page('/away', plainPage());
  await page.goto(`${site.host.origin}/away`);
  await expect(async () => {
    const names = (await logsOf(site)).map(({ eventName, body }) => eventName ?? body?.stringValue);
    expect([...new Set(names)].sort()).toEqual(
      expect.arrayContaining([
        'browser.navigation',
        'browser.resource_timing',
        'browser.user_action.click',
        'exception',
      ]),
    );
  }).toPass();
  const records = await logsOf(site);
  const text = JSON.stringify(records);
  expect(text).toContain('a warning of https://shop.test/?token=REDACTED');
  expect(text).not.toContain('secret');
  const exceptions = records.filter(({ eventName }) => eventName === 'exception');
  expect(exceptions.map(({ attributes }) => attributeOf(attributes, 'exception.message'))).toEqual([
    'thrown by a click',
  ]);
});

test('logs: a thousand lines in a second, in an outage and over a reload: each is stored once', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/Failed to load resource.*\/spandrel/);
  for (const target of ['endpoint', 'bucket'] as const) site.mock.faults.set(target, { kind: 'down' });
  await site.run(page, codeOf(site.service));
  await page.evaluate(`(async () => {
    const logger = provider.getLogger('lines');
    for (let line = 0; line < 1000; line++) logger.emit({ body: 'line ' + line, severityNumber: 13 });
    await provider.forceFlush();
  })()`);
  const { spans } = (await page.evaluate('stats()')) as { spans: { created: number; dropped: object } };
  expect([spans.created >= 1_000, spans.dropped]).toEqual([true, {}]);
  site.mock.faults.clear();
  await page.reload();
  const lines = async () =>
    (await logsOf(site)).map(({ body }) => body?.stringValue ?? '').filter((body) => /^line \d/.test(body));
  await expect(async () => {
    await page.evaluate('exporter.flush()');
    expect(await lines()).toHaveLength(1_000);
  }).toPass();
  expect(new Set(await lines()).size).toBe(1_000);
});
