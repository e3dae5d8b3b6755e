import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DropReason } from '../pipeline/model.js';
import type { PageLedger, StoredReceipt } from '../protocol.js';
import { ingestHarness } from '../testing/ingest-harness.js';
import { createLedger, type Ledger, type PageAccount } from './ledger.js';

const PAGE = '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f';
const OTHER = '0190a5b0-7c3e-7cc3-98c4-dc0c0c073990';
const CONTEXT = { project: 'shop', kind: 'exchange' } as const;
const COUNTS: PageLedger = {
  id: PAGE,
  sealed: 4,
  created: 10,
  adopted: 3,
  stored: 6,
  waiting: 4,
  dropped: 2,
  handedOver: 1,
};

function receipt(seq: number, more: Partial<StoredReceipt> = {}): StoredReceipt {
  return {
    key: `key ${seq}`,
    token: 'token',
    spanCount: 1,
    bytes: 100,
    page: PAGE,
    seq,
    traces: [],
    ...more,
  };
}

function only(ledger: Ledger): PageAccount {
  const [page, ...others] = ledger.pages();
  assert.ok(page);
  assert.deepEqual(others, []);
  return page;
}

test('ledger: an account of a page is what it said last, and which of its objects nobody has named', () => {
  const ledger = createLedger();
  ledger.onPage(COUNTS, CONTEXT);
  ledger.onStored([receipt(1), receipt(3, { unconfirmed: true })], CONTEXT);
  ledger.onLost({ 'outbox-full': 2 }, { ...CONTEXT, page: PAGE });
  assert.deepEqual(ledger.pages(), [
    {
      project: 'shop',
      id: PAGE,
      counts: COUNTS,
      balanced: true,
      lost: { 'outbox-full': 2 },
      gaps: [
        { first: 2, last: 2 },
        { first: 4, last: 4 },
      ],
      unconfirmed: [{ first: 3, last: 3 }],
      overflowed: false,
    },
  ]);
});

test('ledger: an object that is certain stays so, whichever receipt came first', () => {
  for (const unconfirmedFirst of [true, false]) {
    const ledger = createLedger();
    const receipts = [receipt(1, { unconfirmed: true }), receipt(1)];
    for (const one of unconfirmedFirst ? receipts : receipts.reverse()) ledger.onStored([one], CONTEXT);
    assert.deepEqual(only(ledger).unconfirmed, []);
  }
});

test('ledger: another page may name the objects of one that is gone', () => {
  const ledger = createLedger();
  ledger.onPage({ ...COUNTS, sealed: 1 }, CONTEXT);
  ledger.onStored([receipt(1)], { ...CONTEXT, page: OTHER });
  assert.deepEqual(only(ledger).gaps, []);
});

test('ledger: a receipt past the ledger at hand announces what is before it', () => {
  const ledger = createLedger();
  ledger.onStored([receipt(5)], CONTEXT);
  const { gaps, counts, balanced } = only(ledger);
  assert.deepEqual([gaps, counts, balanced], [[{ first: 1, last: 4 }], undefined, undefined]);
});

test('ledger: every term of the equation counts', () => {
  const terms = ['created', 'adopted', 'stored', 'waiting', 'dropped', 'handedOver'] as const;
  for (const term of terms) {
    const ledger = createLedger();
    ledger.onPage({ ...COUNTS, [term]: COUNTS[term] + 1 }, CONTEXT);
    assert.equal(only(ledger).balanced, false, term);
  }
});

test('ledger: sums too large to be exact do not balance', () => {
  const most = Number.MAX_SAFE_INTEGER;
  const ledger = createLedger();
  ledger.onPage({ ...COUNTS, created: most, adopted: 2, stored: most, waiting: 1, dropped: 0 }, CONTEXT);
  assert.equal(only(ledger).balanced, false);
});

test('ledger: what a page said earlier and arrives later is passed over', () => {
  const ledger = createLedger();
  const later = { ...COUNTS, stored: 8, waiting: 2 };
  ledger.onPage(later, CONTEXT);
  ledger.onPage(COUNTS, CONTEXT);
  assert.deepEqual(only(ledger).counts, later);
});

test('ledger: the page not heard of for longest is forgotten first, and what was lost is not', () => {
  const ledger = createLedger({ maxPages: 2 });
  const ids = ['1', '2', '3'].map((digit) => digit + PAGE.slice(1)) as [string, string, string];
  for (const id of ids.slice(0, 2)) ledger.onPage({ ...COUNTS, id }, CONTEXT);
  ledger.onLost({ paused: 1 }, { ...CONTEXT, page: ids[0] });
  ledger.onStored([receipt(1, { page: ids[2] })], CONTEXT);
  assert.deepEqual(
    ledger
      .pages()
      .map(({ id }) => id)
      .sort(),
    [ids[0], ids[2]],
  );
  ledger.onPage({ ...COUNTS, id: ids[1] }, CONTEXT);
  assert.deepEqual(ledger.lost(), { paused: 1 });
});

test('ledger: projects are apart, even if they name the same page', () => {
  const ledger = createLedger();
  ledger.onPage(COUNTS, CONTEXT);
  ledger.onPage({ ...COUNTS, sealed: 9 }, { ...CONTEXT, project: 'blog' });
  assert.deepEqual(
    ledger.pages().map(({ project, counts }) => [project, counts?.sealed]),
    [
      ['shop', 4],
      ['blog', 9],
    ],
  );
});

test('ledger: clients that say nothing of pages are counted in the losses alone', () => {
  const ledger = createLedger();
  const { page: _, seq: __, ...old } = receipt(1);
  ledger.onStored([old], CONTEXT);
  ledger.onLost({ paused: 2 }, CONTEXT);
  ledger.onLost({ paused: 1, 'too-old': 1 }, CONTEXT);
  assert.deepEqual(ledger.pages(), []);
  assert.deepEqual(ledger.lost(), { paused: 3, 'too-old': 1 });
});

test('ledger: receipts too far out of order are said to be forgotten, not made up', () => {
  const ledger = createLedger();
  for (let seq = 1; seq <= 10_000; seq += 2) ledger.onStored([receipt(seq)], CONTEXT);
  const { gaps, overflowed } = only(ledger);
  assert.equal(overflowed, true);
  assert.equal(gaps.length, 255);
  ledger.onStored([receipt(10_000)], CONTEXT);
  assert.equal(only(ledger).gaps.length, 255);
  ledger.onStored([receipt(2)], CONTEXT);
  assert.equal(only(ledger).gaps.length, 254);
});

test('ledger: reasons made up one after another end as one', () => {
  const ledger = createLedger();
  for (let at = 0; at < 100; at += 1) {
    const reason = String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26));
    ledger.onLost({ [reason]: 1 }, { ...CONTEXT, page: PAGE });
  }
  const ours: Record<DropReason, number> = {
    ...{ 'buffer-full': 1, 'outbox-full': 2, 'too-old': 3, unencodable: 4, 'too-large': 5, redacted: 6 },
    ...{ consent: 7, rejected: 8, paused: 9, shutdown: 10 },
  };
  ledger.onLost(ours, { ...CONTEXT, page: PAGE });
  for (const lost of [only(ledger).lost, ledger.lost()]) {
    assert.equal(Object.keys(lost).length, 41);
    assert.equal(lost['other'], 70);
    assert.deepEqual({ ...lost, ...ours }, lost, 'ours have their places');
  }
});

// Made up by the ledger of a page, by losses, by both, in the same project and in another. Whoever has one genuine token
// can name pages in its receipts too; that is an upload each for 100 of them, and the operator's quota bounds it.
test('ledger: pages that are made up push out none that has stored something, nor leave no room for new ones', () => {
  const madeUp = [
    (id: string, ledger: Ledger, project: string) =>
      ledger.onPage({ ...COUNTS, id }, { ...CONTEXT, project }),
    (page: string, ledger: Ledger, project: string) =>
      ledger.onLost({ paused: 1 }, { ...CONTEXT, project, page }),
  ];
  const idOf = (index: number) => index.toString(16).padStart(8, '0') + PAGE.slice(8);
  for (const project of ['shop', 'blog']) {
    for (const tell of madeUp) {
      const ledger = createLedger({ maxPages: 10 });
      for (let index = 0; index < 5; index += 1)
        ledger.onStored([receipt(1, { page: idOf(index) })], CONTEXT);
      for (let index = 100; index < 1_000; index += 1) tell(idOf(index), ledger, project);
      const kept = ledger.pages().map(({ id }) => id);
      assert.equal(kept.length, 10);
      for (let index = 0; index < 5; index += 1) assert.ok(kept.includes(idOf(index)));
      for (let index = 5; index < 50; index += 1)
        ledger.onStored([receipt(1, { page: idOf(index) })], CONTEXT);
      ledger.onPage({ ...COUNTS, id: PAGE }, CONTEXT);
      assert.ok(
        ledger.pages().some(({ id }) => id === PAGE),
        'one that has stored nothing yet',
      );
    }
  }
});

test('ledger: whatever is told, it stays small and quick', () => {
  const ledger = createLedger({ maxPages: 3 });
  const seq = fc.oneof(
    fc.integer({ min: 1, max: 50 }),
    fc.maxSafeNat().map((n) => n + 1 - (n % 2)),
  );
  const page = fc.constantFrom(...Array.from('12345', (digit) => digit + PAGE.slice(1)));
  fc.assert(
    fc.property(fc.array(fc.tuple(page, seq, fc.boolean())), fc.maxSafeNat(), (told, sealed) => {
      for (const [id, seq, unconfirmed] of told) {
        const more = unconfirmed ? { unconfirmed } : {};
        ledger.onStored([receipt(seq, { page: id, ...more })], CONTEXT);
        ledger.onPage({ ...COUNTS, id, sealed }, CONTEXT);
      }
      const pages = ledger.pages();
      assert.ok(pages.length <= 3);
      for (const { gaps, unconfirmed } of pages) assert.ok(gaps.length <= 257 && unconfirmed.length <= 513);
    }),
  );
});

test("ledger: what it answers is the caller's own", () => {
  const ledger = createLedger();
  const told = { ...COUNTS };
  ledger.onPage(told, CONTEXT);
  ledger.onStored([receipt(1, { unconfirmed: true })], CONTEXT);
  const before = ledger.pages();
  told.created = 99;
  const [page] = ledger.pages();
  assert.ok(page?.counts && page.unconfirmed[0] && page.gaps[0]);
  page.counts.created = page.unconfirmed[0].last = page.gaps[0].last = 99;
  assert.deepEqual(ledger.pages(), before);
});

test('ledger: maxPages is an integer from 1', () => {
  for (const maxPages of [0, 1.5, 100_001, '10' as never]) {
    assert.throws(() => createLedger({ maxPages }), /option "maxPages" got .*; it takes an integer from 1/);
  }
});

test('ledger: behind the hooks of an endpoint', async () => {
  const { onStored, onPage, onLost, pages } = createLedger();
  const { exchange, issue } = ingestHarness({ onStored, onPage, onLost });
  const upload = await issue();
  const stored = [receipt(1, { key: upload.key, token: upload.token })];
  assert.equal((await exchange({ stored, page: COUNTS, lost: { paused: 2 } })).status, 200);
  const [page] = pages();
  assert.deepEqual(page?.gaps, [{ first: 2, last: 4 }]);
  assert.deepEqual(page?.lost, { paused: 2 });
  assert.equal(page?.project, 'default');
});
