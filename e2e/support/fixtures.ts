/** What every test has: a host with its bucket, a service name of its own, and a console that must stay silent. */
import { test as base, type ConsoleMessage, expect, type Page } from '@playwright/test';
import { type Host, startHost } from '../../demo/host.mjs';
import { defaultRules } from '../../demo/mock-r2/mock-r2.mjs';
import type { ExchangeRequest, StoredReceipt } from '../../src/protocol.js';
import { attributeOf, type OtlpSpan, readObjects, type TraceObject } from './otlp.js';
import { modulePage, type PageParts, plainPage, tagPage } from './page-source.js';
import { NO_PARTS } from './parts.mjs';
import { VENDOR_FOLDER, VENDOR_PATH } from './vendor.mjs';

/** The host as one test sees it. */
export interface Site {
  host: Host;
  mock: Host['mock'];
  /** `service.name` of this test's spans: what another test left behind is not looked at. */
  service: string;
  /** Serves a page of a name of its own; returns its URL. */
  serve(html: string, headers?: Record<string, string>): string;
  /**
   * Serves and opens a page with the script tag. Its spans are only those that the test makes, and go without
   * waiting for company, unless the options say otherwise.
   */
  open(page: Page, options?: Record<string, unknown>, parts?: PageParts): Promise<string>;
  /** Serves and opens a page that runs a module against the bundler entry. */
  run(page: Page, code: string, parts?: PageParts): Promise<string>;
  /** This test's objects, each opened by Node's zlib. */
  objects(): Promise<TraceObject[]>;
  spans(): Promise<OtlpSpan[]>;
  /** Waits until exactly these spans are in the bucket, once each, in any order. */
  expectStored(names: readonly string[]): Promise<void>;
  /** What the endpoint was told since the test began. */
  receipts(): StoredReceipt[];
  lost(): ExchangeRequest['lost'][];
  /** Troubles that the endpoint reports as the test provokes them. Any other fails it. */
  allowTroubles(...troubles: RegExp[]): void;
}

interface TestFixtures {
  site: Site;
  /** Console lines that the test provokes on purpose. Anything else on the console fails it. */
  allowConsole: (...lines: RegExp[]) => void;
}

/** What a host page has of `window`, for `page.evaluate`. */
declare global {
  var recorder: { imbalances: unknown[]; looks: number; otlp(): Promise<unknown>; spans: unknown[] };
  var makeTrace: (tracer: unknown, name: string, children?: number) => void;
  var spandrel: typeof import('../../src/script.js');
  var ready: true | undefined;
}

const lineOf = (message: ConsoleMessage): string =>
  `${message.type()}: ${message.text()} (${message.location().url})`;

interface WorkerFixtures {
  host: Host;
  /** For a host whose endpoint is set otherwise; a file that sets it gets a host of its own. */
  mockOptions: NonNullable<Parameters<typeof startHost>[0]>['mock'];
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  mockOptions: [{}, { option: true, scope: 'worker' }],

  host: [
    async ({ mockOptions }, use) => {
      const host = await startHost({
        ...(mockOptions && { mock: mockOptions }),
        folders: {
          '/e2e/': new URL('../pages/', import.meta.url),
          // The modules of src, as they were compiled for the build.
          '/esm/': new URL('../../.cache/esm/', import.meta.url),
          [VENDOR_PATH]: VENDOR_FOLDER,
        },
      });
      await use(host);
      await host.close();
    },
    { scope: 'worker' },
  ],

  allowConsole: [
    async ({ context }, use) => {
      // Firefox says so of a file that was still to come as its page was left: it compares nothing, by this hash.
      const allowed: RegExp[] = [/integrity attribute match.*late\.js.*“OLBgp1GsljhM2TJ/s];
      const lines: string[] = [];
      context.on('console', (message) => {
        if (['error', 'warning', 'assert'].includes(message.type())) lines.push(lineOf(message));
      });
      context.on('weberror', (error) => lines.push(`exception: ${error.error().stack}`));
      await use((...more) => void allowed.push(...more));
      const unexpected = lines.filter((line) => !allowed.some((pattern) => pattern.test(line)));
      expect(unexpected, 'nothing on the console').toEqual([]);
    },
    { auto: true },
  ],

  site: async ({ host }, use, testInfo) => {
    const { mock } = host;
    mock.faults.clear();
    mock.setCors({ rules: defaultRules([host.origin]), errorsWithoutCors: true });
    mock.requests.clear();
    await mock.bucket.clear();
    const service = `e2e ${testInfo.testId}`;
    const before = {
      ...{ receipts: mock.receipts().length, lost: mock.lost().length },
      errors: mock.errors().length,
    };
    const allowed: RegExp[] = [];
    let pages = 0;
    const site: Site = {
      host,
      mock,
      service,
      serve: (html, headers = {}) => host.page(`/${testInfo.testId}/${++pages}`, html, { headers }),
      async open(page, options, parts) {
        const basics = { service, endpoint: '/spandrel', scheduledDelayMillis: 0, ...NO_PARTS };
        const url = site.serve(tagPage({ ...basics, ...options }, parts));
        await page.goto(url);
        return url;
      },
      async run(page, code, parts) {
        const url = site.serve(modulePage(code, parts));
        await page.goto(url);
        await page.waitForFunction(() => globalThis.ready);
        return url;
      },
      objects: () => readObjects(mock.bucket, service),
      spans: async () => (await site.objects()).flatMap(({ spans }) => spans),
      async expectStored(names) {
        const stored = async (): Promise<string[]> => (await site.spans()).map(({ name }) => name).sort();
        await expect.poll(stored, { message: 'spans in the bucket' }).toEqual([...names].sort());
      },
      receipts: () => mock.receipts().slice(before.receipts),
      lost: () => mock.lost().slice(before.lost),
      allowTroubles: (...more) => void allowed.push(...more),
    };
    await use(site);
    mock.faults.clear();
    await expect.poll(() => mock.requests.list().every(({ done }) => done)).toBe(true);
    const spans = await site.spans();
    // One look at all: a burst has thousands.
    expect(spans.filter((span) => isOfOurs(span, host)).map(({ name }) => name)).toEqual([]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size, 'spans stored, each once').toBe(spans.length);
    const troubles = mock.errors().slice(before.errors);
    const unexpected = troubles.filter((trouble) => !allowed.some((pattern) => pattern.test(trouble)));
    expect(unexpected, 'troubles of the endpoint').toEqual([]);
  },
});

/** Whether it traces a request of ours, as none may, whatever the test is about. */
function isOfOurs(span: OtlpSpan, { origin, mock }: Host): boolean {
  const url = String(attributeOf(span.attributes, 'url.full') ?? '');
  const own = [`${origin}${mock.mountPath}`, mock.endpointUrl, mock.bucketOrigin];
  return own.some((prefix) => url.startsWith(prefix));
}

/** The page's own sampling of the ledger found nothing wrong, and did look. */
export async function expectLedgerHeld(page: Page): Promise<void> {
  const { imbalances, looks } = await page.evaluate(() => ({
    imbalances: globalThis.recorder.imbalances,
    looks: globalThis.recorder.looks,
  }));
  expect(imbalances).toEqual([]);
  expect(looks).toBeGreaterThan(0);
}

/** What a page counts that neither took anything over nor lost anything to another. */
export const NO_OTHERS = { adopted: 0, handedOver: 0 } as const;

/** Makes traces in the page of a script tag, all in one task. */
export const makeTraces = (page: Page, names: string[], children = 0): Promise<void> =>
  page.evaluate(
    ([names, children]) => {
      for (const name of names) globalThis.makeTrace(globalThis.spandrel.instance?.tracer, name, children);
    },
    [names, children] as const,
  );

/**
 * Lets a page run for a while. Only to see that nothing comes, which cannot be waited for, and for what happens once in so
 * long: a busy machine makes the while longer, and never wrong. What does come is waited for.
 */
export const letTimePass = (page: Page, millis: number): Promise<void> =>
  page.evaluate((wait) => new Promise((resolve) => setTimeout(resolve, wait)), millis);

export { expect, plainPage };
