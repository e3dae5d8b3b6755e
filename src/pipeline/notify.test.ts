import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handMadeUpload } from '../testing/blobs.js';
import { FAILURE, LEDGER, notifierWorld, receipt } from '../testing/notifier.js';
import type { Claim } from './model.js';

test('notify: a receipt goes alone after five seconds, or at once with a request for URLs', async () => {
  const world = notifierWorld();
  world.notifier.stored(receipt());
  await world.platform.advance(4_999);
  assert.equal(world.asked.length, 0);
  await world.platform.advance(1);
  assert.deepEqual([world.asked[0]?.message.stored.length, world.asked[0]?.message.want], [1, 0]);
  await world.asked[0]?.answer({});
  world.wanted = 3;
  world.notifier.stored(receipt());
  assert.deepEqual([world.asked[1]?.message.stored.length, world.asked[1]?.message.want], [1, 3]);
});

test('notify: one request at a time; what comes meanwhile goes in the next', async () => {
  const world = notifierWorld();
  world.wanted = 2;
  world.notifier.talk();
  world.notifier.talk();
  world.notifier.stored(receipt());
  assert.equal(world.asked.length, 1);
  await world.asked[0]?.answer({ uploads: [handMadeUpload(), handMadeUpload()] });
  assert.equal(world.fresh.length, 2);
  assert.equal(world.woken, 1);
  await world.platform.advance(5_000);
  assert.equal(world.asked.length, 2);
  assert.equal(world.asked[1]?.message.stored.length, 1);
});

test('notify: after a failure the receipts are said again, later and later, and are counted', async () => {
  const world = notifierWorld();
  world.wanted = 1;
  world.notifier.stored(receipt());
  for (let failures = 1; failures <= 3; failures++) {
    await world.asked.at(-1)?.answer(FAILURE);
    await world.platform.advance(2 ** (failures - 1) * 500 - 1);
    assert.equal(world.asked.length, failures);
    await world.platform.advance(1);
    assert.equal(world.asked.length, failures + 1);
  }
  assert.equal(world.asked.at(-1)?.message.stored.length, 1);
  assert.equal(world.diagnostics.stats().requests.exchangeFailures, 3);
  assert.equal(world.diagnostics.stats().errors[0]?.kind, 'endpoint');
});

test('notify: our own patience ends when the network returns; the server’s does not', async () => {
  const world = notifierWorld();
  world.wanted = 1;
  world.notifier.talk();
  await world.asked[0]?.answer(FAILURE);
  world.platform.online();
  assert.equal(world.asked.length, 2);
  await world.asked[1]?.answer({ ...FAILURE, retryAfterMillis: 60_000 });
  world.platform.online();
  await world.platform.advance(60_000);
  assert.equal(world.asked.length, 2);
  await world.platform.advance(1_000);
  assert.equal(world.asked.length, 3);
});

test('notify: an endpoint that refuses us is left alone for five minutes', async () => {
  const world = notifierWorld();
  world.wanted = 1;
  world.notifier.talk();
  await world.asked[0]?.answer({ ...FAILURE, refused: true });
  await world.platform.advance(300_000);
  assert.equal(world.asked.length, 1);
  await world.platform.advance(1_000);
  assert.equal(world.asked.length, 2);
});

test('notify: what the endpoint calls malformed is not said again', async () => {
  const world = notifierWorld();
  world.wanted = 1;
  world.notifier.stored(receipt());
  await world.asked[0]?.answer({ ...FAILURE, malformed: true });
  await world.platform.advance(1_000);
  assert.equal(world.asked[1]?.message.stored.length, 0);
});

test('notify: an answer without what was asked for is a failure, not a loop', async () => {
  const world = notifierWorld();
  world.wanted = 1;
  world.notifier.talk();
  await world.asked[0]?.answer({});
  assert.equal(world.asked.length, 1);
  await world.platform.advance(500);
  assert.equal(world.asked.length, 2);
});

test('notify: a renewal reaches its claim, or the claim hears that there is none', async () => {
  const world = notifierWorld();
  const claims = ['a', 'b'].map((key) => ({ key, token: `t-${key}`, tries: 1 }));
  world.wanted = 1;
  for (const claim of claims) world.notifier.renew(claim, 700);
  const [first] = world.asked;
  assert.deepEqual(first?.message.renew, ['t-a']);
  await first?.answer({ uploads: [handMadeUpload({ token: 't-a', url: 'https://new' }), handMadeUpload()] });
  await world.asked[1]?.answer({});
  assert.deepEqual(world.renewed, [
    ['t-a', 'https://new'],
    ['t-b', undefined],
  ]);
  assert.equal(world.fresh.length, 1);
});

test('notify: losses are told once, whichever way they go', async () => {
  const world = notifierWorld();
  const lost = (count: number): void => world.diagnostics.dropped('rejected', count);
  world.wanted = 1;
  lost(3);
  world.notifier.talk();
  lost(2);
  world.notifier.leave([]);
  await world.asked[0]?.answer({ uploads: [handMadeUpload()] });
  lost(4);
  world.notifier.leave([]);
  const told = [...world.asked.map(({ message }) => message), ...world.told].map(
    ({ lost }) => lost['rejected'],
  );
  assert.deepEqual(told, [3, 2, 4]);
});

test('notify: losses in a request that failed are told again', async () => {
  const world = notifierWorld();
  world.wanted = 1;
  world.diagnostics.dropped('too-old', 3);
  world.notifier.talk();
  await world.asked[0]?.answer(FAILURE);
  await world.platform.advance(500);
  assert.deepEqual(world.asked[1]?.message.lost, { 'too-old': 3 });
});

test('notify: one request stays below the endpoint’s 64 KiB, and in the end all is said', async () => {
  const world = notifierWorld();
  world.wanted = 1;
  world.notifier.talk();
  for (let count = 0; count < 20; count++) world.notifier.stored(receipt(20));
  world.wanted = 0;
  await world.asked[0]?.answer({});
  const settled = world.notifier.settle();
  for (let asked = 1; asked < world.asked.length; asked++) await world.asked[asked]?.answer({});
  await settled;
  const { length } = world.asked.flatMap(({ message }) => message.stored);
  assert.equal(length, 20);
  for (const { message } of world.asked) assert.ok(JSON.stringify(message).length < 60_000);
});

test('notify: leaving says what is owed and what is under way; a beacon that is refused leaves it owed', async () => {
  const world = notifierWorld();
  world.notifier.stored(receipt());
  world.takes = false;
  world.notifier.leave([{ ...receipt(), unconfirmed: true }]);
  world.takes = true;
  world.notifier.leave([{ ...receipt(), unconfirmed: true }]);
  assert.deepEqual(
    world.told[0]?.stored.map(({ unconfirmed = false }) => unconfirmed),
    [true, false],
  );
  world.notifier.leave([]);
  assert.equal(world.told.length, 1, 'nothing is owed any more');
  assert.equal(world.diagnostics.stats().requests.beacons, 1);
});

test('notify: settle resolves when all is said, and does not wait for an endpoint that fails', async () => {
  const world = notifierWorld();
  let settled = 0;
  const settle = (): void => void world.notifier.settle().then(() => settled++);
  world.notifier.stored(receipt());
  settle();
  await world.asked[0]?.answer({});
  assert.equal(settled, 1);
  world.notifier.stored(receipt());
  settle();
  await world.asked[1]?.answer(FAILURE);
  assert.equal(settled, 2);
});

test('notify: the kill switch is heard, and after close nothing is said or set', async () => {
  const world = notifierWorld();
  world.wanted = 2;
  world.notifier.talk();
  await world.asked[0]?.answer({ paused: true });
  assert.equal(world.paused, 1);
  world.notifier.close();
  world.notifier.stored(receipt());
  world.platform.online();
  await world.platform.advance(3_600_000);
  assert.equal(world.asked.length, 1);
  assert.deepEqual(world.platform.loose, { timers: 0, listeners: 0 });
});

const claimOf = (key: string): Claim => ({ key, token: `t-${key}`, tries: 1 });

test('notify: a question rides on the next request with all else, at once, and its answer reaches the claim', async () => {
  const world = notifierWorld();
  world.notifier.confirm(claimOf('a'));
  world.notifier.confirm(claimOf('b'));
  assert.deepEqual(world.asked[0]?.message.confirm, ['t-a']);
  await world.asked[0]?.answer({ confirmed: [{ token: 't-a', stored: true }] });
  world.wanted = 0;
  world.notifier.confirm(claimOf('b'));
  assert.deepEqual(world.asked[1]?.message.confirm, ['t-b'], 'asked twice, said once');
  await world.asked[1]?.answer({ confirmed: [{ token: 't-b', stored: false }] });
  assert.deepEqual(world.confirmed, [
    ['t-a', true],
    ['t-b', false],
  ]);
  assert.equal(world.asked.length, 2);
  assert.equal(world.woken, 2);
});

test('notify: forty questions in one request, the rest in the next', async () => {
  const world = notifierWorld();
  world.wanted = 1;
  world.notifier.talk();
  for (let count = 0; count < 50; count++) world.notifier.confirm(claimOf(String(count)));
  await world.asked[0]?.answer({ uploads: [handMadeUpload()] });
  for (const asked of [1, 2]) {
    const { message, answer } = world.asked[asked] as (typeof world.asked)[number];
    assert.equal(message.confirm.length, asked === 1 ? 40 : 10);
    await answer({ confirmed: message.confirm.map((token) => ({ token, stored: true })) });
  }
  assert.equal(world.confirmed.length, 50);
});

test('notify: a question that is left out is asked again, later and later, and the third time means not stored', async () => {
  const world = notifierWorld();
  world.notifier.confirm(claimOf('a'));
  await world.asked[0]?.answer({ confirmed: [{ token: 't-other', stored: true }] });
  assert.equal(world.asked.length, 1, 'no loop');
  await world.platform.advance(499);
  assert.equal(world.asked.length, 1);
  await world.platform.advance(1);
  await world.asked[1]?.answer({});
  assert.deepEqual(world.confirmed, []);
  await world.platform.advance(999);
  assert.equal(world.asked.length, 2);
  await world.platform.advance(1);
  await world.asked[2]?.answer({});
  assert.deepEqual(world.confirmed, [['t-a', false]]);
  await world.platform.advance(600_000);
  assert.equal(world.asked.length, 3);
});

test('notify: whoever asks the same again waits no longer for it', async () => {
  const world = notifierWorld();
  for (let asked = 0; asked < 3; asked++) {
    world.notifier.confirm(claimOf('a'));
    await world.platform.advance(60_000);
    await world.asked[asked]?.answer({});
  }
  assert.deepEqual(world.confirmed, [['t-a', false]]);
});

test('notify: a failed request is no answer to a question', async () => {
  const world = notifierWorld();
  world.notifier.confirm(claimOf('a'));
  for (let failures = 0; failures < 5; failures++) {
    await world.asked[failures]?.answer(FAILURE);
    await world.platform.advance(600_000);
  }
  assert.deepEqual(world.confirmed, []);
  await world.asked[5]?.answer({ confirmed: [{ token: 't-a', stored: true }] });
  assert.deepEqual(world.confirmed, [['t-a', true]]);
});

test('notify: a leaving page asks nothing, and every message carries the page’s ledger', async () => {
  const world = notifierWorld();
  world.notifier.confirm(claimOf('a'));
  world.notifier.renew(claimOf('b'), 700);
  world.wanted = 3;
  world.notifier.leave([receipt()]);
  const { want, confirm, renew, page } = world.told[0] as (typeof world.told)[number];
  assert.deepEqual({ want, confirm, renew, page }, { want: 0, confirm: [], renew: [], page: LEDGER });
  assert.deepEqual(world.asked[0]?.message.page, LEDGER);
});

test('notify: says for which lengths, those of renewed URLs first', async () => {
  const world = notifierWorld();
  world.wanted = 2;
  world.notifier.renew(claimOf('a'), 700);
  await world.asked[0]?.answer({ uploads: [handMadeUpload(), handMadeUpload()] });
  world.notifier.renew(claimOf('b'), 800);
  assert.deepEqual(
    world.asked.map(({ message: { want, renew, sizes } }) => [want, renew, sizes]),
    [
      [2, ['t-a'], [700, 1_000, 1_000]],
      [0, ['t-b'], [800]],
    ],
  );
});

test('notify: where everything is to be relayed, a token without an upload is not one that is unknown', async () => {
  const world = notifierWorld();
  world.notifier.renew(claimOf('a'), 700);
  await world.asked[0]?.answer({ relay: true });
  assert.equal(world.relayOnly, 1);
  assert.deepEqual(world.renewed, []);
  world.notifier.renew(claimOf('b'), 700);
  await world.asked[1]?.answer({ uploads: [handMadeUpload({ token: 't-b', url: 'https://b.test/' })] });
  assert.deepEqual(world.renewed, [['t-b', 'https://b.test/']]);
});
