import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiagnostics } from '../diagnostics/diagnostics.js';
import type { Claim, TraceBlob } from '../pipeline/model.js';
import type { Endpoint, Message, MessageAnswer } from '../pipeline/notify.js';
import { handMadeBlob, handMadeUpload } from '../testing/blobs.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import type { OpenDestination } from './destination.js';
import { openBucket } from './open-bucket.js';

interface World {
  platform: TestPlatform;
  destination: OpenDestination;
  asked: { message: Message; answer(answer: Partial<MessageAnswer>): Promise<void> }[];
  woken: number;
  /** Answers the oldest claim that is being written down. */
  claimed(isOurs: boolean): Promise<void>;
}

/** A bucket that has uploads, and whose endpoint and outbox are the test. */
function setUp({
  confirms = true,
  relay = 'never',
  uploads = [handMadeUpload(), handMadeUpload(), handMadeUpload()],
}: {
  confirms?: boolean;
  relay?: 'auto' | 'always' | 'never';
  uploads?: ReturnType<typeof handMadeUpload>[];
} = {}): World {
  const platform = testPlatform({ defers: true });
  const claims: ((isOurs: boolean) => void)[] = [];
  const world: Omit<World, 'destination'> = {
    ...{ platform, asked: [], woken: 0 },
    claimed(isOurs) {
      claims.shift()?.(isOurs);
      return settle();
    },
  };
  const endpoint: Endpoint = {
    confirms,
    exchange: (message) =>
      new Promise((resolve) => {
        world.asked.push({
          message,
          answer(answer) {
            resolve({ ok: true, uploads: [], confirmed: [], paused: false, ...answer } as MessageAnswer);
            return settle();
          },
        });
      }),
    relayUrl: () => 'https://app.test/relay',
  };
  const destination = openBucket(
    {
      platform,
      diagnostics: createDiagnostics(platform.now, platform.after),
      wake() {
        world.woken++;
      },
      page: 'page',
      claimed: () => new Promise((resolve) => void claims.push(resolve)),
      remember() {},
      pause() {},
      rules() {},
    },
    { endpoint: undefined, project: undefined, poolSize: 3, poolReserve: 0, uploads, relay },
    endpoint,
  );
  return Object.assign(world, { destination });
}

/** A blob of an earlier page that went out with it. */
const unconfirmed = (): TraceBlob & { claim: Claim } => ({
  ...handMadeBlob(),
  claim: { key: 'k', token: 't-k', tries: 1 },
  unconfirmed: true,
});
const RENEWED = handMadeUpload({ key: 'k', token: 't-k', url: 'https://bucket.test/k?renewed' });

test('bucket: what went out with an earlier page and arrived is not sent again, and its receipt is given', async () => {
  const world = setUp();
  const { platform, destination, asked } = world;
  const blob = unconfirmed();
  assert.equal(destination.ready(blob), false);
  assert.deepEqual(asked[0]?.message.confirm, ['t-k']);
  assert.equal(destination.ready(blob), false, 'not known yet');
  await asked[0]?.answer({ confirmed: [{ token: 't-k', stored: true }] });
  assert.equal(world.woken, 1);
  assert.equal(destination.ready(blob), true);
  assert.deepEqual(await destination.send(blob, 'normal'), { status: 'stored' });
  assert.equal(platform.requests.length, 0);
  await platform.advance(5_000);
  assert.deepEqual(
    asked[1]?.message.stored.map(({ key }) => key),
    ['k'],
  );
});

test('bucket: what did not arrive is sent under its own key', async () => {
  const world = setUp();
  const { platform, destination, asked } = world;
  const blob = unconfirmed();
  destination.ready(blob);
  await asked[0]?.answer({ confirmed: [{ token: 't-k', stored: false }] });
  assert.equal(destination.ready(blob), true);
  assert.deepEqual(await destination.send(blob, 'normal'), { status: 'unready' });
  assert.equal(blob.unconfirmed, false);
  assert.equal(destination.ready(blob), false);
  assert.deepEqual(asked[1]?.message.renew, ['t-k']);
  await asked[1]?.answer({ uploads: [RENEWED] });
  assert.equal(destination.ready(blob), true);
  void destination.send(blob, 'normal');
  await world.claimed(true);
  assert.equal(platform.requests[0]?.url, RENEWED.url);
  assert.equal(blob.claim.tries, 2);
  assert.equal(asked.flatMap(({ message }) => message.confirm).length, 1, 'asked twice');
});

test('bucket: functions cannot be asked, so it is sent again, under its own key', async () => {
  const world = setUp({ confirms: false });
  const { platform, destination, asked } = world;
  const blob = unconfirmed();
  assert.equal(destination.ready(blob), false);
  assert.deepEqual([asked[0]?.message.confirm, asked[0]?.message.renew], [[], ['t-k']]);
  await asked[0]?.answer({ uploads: [RENEWED] });
  const sent = destination.send(blob, 'normal');
  await world.claimed(true);
  platform.requests[0]?.answer({ status: 412 });
  assert.deepEqual(await sent, { status: 'stored' });
});

test('bucket: what only a relay may have stored is not asked about, but relayed again', () => {
  const { destination, asked } = setUp({ relay: 'auto' });
  assert.equal(destination.ready(handMadeBlob({ unconfirmed: true, relayed: true })), true);
  assert.equal(asked.length, 0);
});

test('bucket: nothing goes to a key before that is written down', async () => {
  const world = setUp();
  const blob = handMadeBlob();
  void world.destination.send(blob, 'normal');
  await settle();
  assert.equal(world.platform.requests.length, 0);
  assert.equal(blob.claim?.tries, 1, 'what is written down counts this request');
  const free = world.platform.keepalive.freeBytes;
  await world.claimed(true);
  assert.equal(world.platform.requests.length, 1);
  assert.ok(world.platform.keepalive.freeBytes < free);
});

test('bucket: nothing is sent of a blob that another page has taken', async () => {
  const world = setUp();
  const free = world.platform.keepalive.freeBytes;
  const sent = world.destination.send(handMadeBlob(), 'normal');
  await world.claimed(false);
  assert.deepEqual(await sent, { status: 'gone' });
  assert.equal(world.platform.requests.length, 0);
  assert.equal(world.platform.keepalive.freeBytes, free);
});

test('bucket: a leaving page waits for nothing; what is being written down is not sent beside it', async () => {
  const world = setUp();
  const blob = handMadeBlob();
  const normal = world.destination.send(blob, 'normal');
  await settle();
  void world.destination.send(blob, 'leaving');
  assert.equal(world.platform.requests.length, 1);
  await world.claimed(true);
  assert.deepEqual(await normal, { status: 'unready' });
  assert.equal(world.platform.requests.length, 1);
});

test('bucket: a key may be left with the browser, and comes back unused', async () => {
  const [upload] = [handMadeUpload()];
  const world = setUp({ uploads: [upload as NonNullable<typeof upload>] });
  const { platform, destination } = world;
  const claim = destination.reserve?.(10) as Claim;
  assert.deepEqual(claim, { key: upload?.key, token: upload?.token, tries: 0 });
  assert.equal(destination.reserve?.(10), undefined, 'given twice');
  const blob = handMadeBlob();
  const takeBack = destination.defer?.(blob, claim);
  assert.deepEqual(platform.deferred, [{ url: upload?.url, body: blob.bytes }]);
  assert.equal(platform.requests.length, 0);
  assert.equal(takeBack?.(), true);
  destination.unreserve?.(claim);
  assert.equal(destination.reserve?.(10)?.key, upload?.key);
});

test('bucket: neither an expired URL nor a browser without room is armed', () => {
  const { platform, destination } = setUp();
  const claim = destination.reserve?.(10) as Claim;
  platform.canDefer = false;
  assert.equal(destination.defer?.(handMadeBlob(), claim), undefined);
  platform.canDefer = true;
  platform.jump(900_000);
  assert.equal(destination.defer?.(handMadeBlob(), claim), undefined);
  assert.deepEqual(platform.deferred, []);
});

test('bucket: with relay "always" nothing is armed, as it would go to the bucket', () => {
  assert.equal(setUp({ relay: 'always' }).destination.reserve?.(10), undefined);
});
