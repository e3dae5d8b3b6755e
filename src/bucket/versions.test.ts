/** A client at an endpoint of the version before: nothing is lost, and the cause is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { assertLedger, testClient } from '../testing/client.js';
import { type IngestHarness, ingestHarness } from '../testing/ingest-harness.js';
import type { TestPlatform } from '../testing/platform.js';
import { settle, until } from '../testing/platform.js';

/** By the clock of the pages. */
function endpoint(options: Parameters<typeof ingestHarness>[0] = {}, hasSecret = true): IngestHarness {
  const harness = ingestHarness({ allowedOrigins: '*', ...options }, hasSecret);
  harness.clock.nowMillis = 1_790_000_000_000;
  return harness;
}

type Take = (query: string, body: BodyInit) => Promise<{ status: number; body: unknown }>;

/** Today's endpoint, over this store. */
const today =
  (harness: IngestHarness): Take =>
  (query, body) =>
    harness.send({ query, body });

/** As 0.1.0 answers what it cannot read, by its code. */
const version1 =
  (harness: IngestHarness): Take =>
  async (query, body) => {
    const said = query ? '' : await new Response(body).text();
    const refusal = (code: string, message: string) => ({ status: 400, body: { error: { code, message } } });
    if (/relay=[\da-f-]{36}/.test(query)) return refusal('bad_token', 'the token is not valid, or no longer');
    if (said && JSON.parse(said).v !== 1) return refusal('malformed', 'v takes 1');
    return harness.send({ query, body: said || body });
  };

/** Whatever the page asks of its endpoint goes there; uploads go into the store. */
function serve(platform: TestPlatform, harness: IngestHarness, take: Take): void {
  const answer = async (url: string, body: BodyInit) => {
    const { pathname, search } = new URL(url);
    if (url.startsWith('https://store.example/bucket/')) {
      const made = await harness.storage.put(
        pathname.slice('/bucket/'.length),
        body as Uint8Array<ArrayBuffer>,
      );
      return { status: made === 'created' ? 200 : 412, body: '' };
    }
    const told = await take(search, body);
    return { status: told.status, body: JSON.stringify(told.body) };
  };
  platform.onRequest = (request) =>
    void answer(request.url, request.init.body as BodyInit).then((told) => request.answer(told));
  platform.onBeacon = ({ url, body }) => void answer(url, body);
}

const clients = {
  new: () => testClient(),
  'new, relay': () => testClient({ relay: 'always' }),
};
type Name = keyof typeof clients;

/** @returns what the page says is wrong, before the endpoint is another. */
async function cross(name: Name, harness: IngestHarness, before: Take, after: Take): Promise<string> {
  const { platform, processor, endTrace } = clients[name]();
  serve(platform, harness, before);
  endTrace(3);
  await platform.advance(120_000);
  endTrace(2);
  platform.page('hidden');
  await settle();
  await platform.advance(60_000);
  const trouble = JSON.stringify(processor.stats().errors);
  assert.deepEqual(
    [processor.stats().spans.waiting, harness.storage.objects.size],
    [5, 0],
    `${name}: ${trouble}`,
  );
  assertLedger(processor.stats(), 5);
  serve(platform, harness, after);
  platform.page('visible');
  for (let tries = 0; tries < 60 && processor.stats().spans.stored < 5; tries++) {
    await platform.advance(60_000);
    // The endpoint inflates in its own time.
    await until(() => !platform.pending.length);
  }
  const { stored, dropped } = processor.stats().spans;
  assert.deepEqual([stored, dropped], [5, {}], name);
  assert.equal(new Set(spanIds(harness)).size, 5);
  assert.equal(spanIds(harness).length, 5, 'once');
  return trouble;
}

const spanIds = ({ storage }: IngestHarness): string[] =>
  [...storage.objects.values()].flatMap((bytes) =>
    Array.from(
      gunzipSync(bytes)
        .toString()
        .matchAll(/"spanId":"(\w+)"/g),
      ([, id]) => id as string,
    ),
  );

for (const name of ['new', 'new, relay'] as const) {
  test(`versions: a client of protocol 2 (${name}) at an endpoint of protocol 1 waits, and says why`, async () => {
    const harness = endpoint();
    const trouble = await cross(name, harness, version1(harness), today(harness));
    assert.match(trouble, name === 'new' ? /v takes 1/ : /bad_token|400/);
  });
}
