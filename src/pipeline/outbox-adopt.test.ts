import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Store, StoreKey, Tabs } from '../platform/platform.js';
import { uuidv7 } from '../platform/uuid.js';
import { handMadeBlob } from '../testing/blobs.js';
import { type TestOrigin, testOrigin } from '../testing/origin.js';
import type { EncodedTrace, TraceBlob } from './model.js';
import { type Adopter, createAdopter } from './outbox-adopt.js';
import { lastWords } from './outbox-last-words.js';
import { recordOf, stateOf } from './outbox-record.js';

const NOW = 1_790_000_000_000;
const DAY = 24 * 60 * 60_000;
const LANE = 'to shop';

interface Page {
  name: string;
  tabs: Tabs;
  adopter: Adopter;
  blobs: TraceBlob[];
  traces: [string, string[]][];
  owed: [string, unknown][];
  corrupt: number;
}

let serial = 0;
const nameOf = (bornAtMillis = NOW - 1_000): string =>
  uuidv7(bornAtMillis, new Uint8Array(10).fill(++serial));

function openPage(
  origin: TestOrigin,
  { lane = LANE, wrap = (store: Store) => store, hasNotes = true } = {},
): Page {
  const tabs = origin.openTabs(NOW, new Uint8Array(10).fill(++serial));
  void tabs.hold();
  const page: Omit<Page, 'adopter'> = { name: tabs.name, tabs, blobs: [], traces: [], owed: [], corrupt: 0 };
  const adopter = createAdopter({
    store: wrap(origin.openStore()),
    notes: hasNotes ? origin.openNotes() : undefined,
    tabs,
    lane,
    now: () => NOW,
    blob: (blob) => void page.blobs.push(blob),
    owed: (name, value) => void page.owed.push([name, value]),
    traces: (traces, key) => void page.traces.push([key.join('/'), traces.map(({ json }) => json)]),
    corrupt() {
      page.corrupt++;
    },
  });
  return Object.assign(page, { adopter });
}

const bytes = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const sound = (fields: Partial<TraceBlob> = {}): TraceBlob =>
  handMadeBlob({ bytes, rawBytes: 20, ...fields });
const trace = (name: string): EncodedTrace => ({
  json: `{"scopeSpans":["${name}"]}`,
  summary: { ...{ traceId: name, rootName: '', startedAt: 0, durationMs: 0 }, spanCount: 1, error: false },
});
const put = ({ records }: TestOrigin, key: StoreKey, value: unknown): void =>
  void records.set(JSON.stringify(key), value);
const keysOf = (origin: TestOrigin, ...prefix: string[]): string[] =>
  origin
    .keys()
    .filter((key) => prefix.every((part, index) => key[index] === part))
    .map((key) => key.slice(prefix.length).join('/'));

/** What a page wrote down before it died. */
function leave(
  origin: TestOrigin,
  { page = nameOf(), lane = LANE, blobs = [] as TraceBlob[], spans = {} as Record<string, string[]> },
): string {
  for (const blob of blobs) {
    put(origin, [lane, page, 'blob', blob.id], recordOf(blob));
    if (blob.attempts || blob.claim) put(origin, [lane, page, 'state', blob.id], stateOf(blob));
  }
  for (const number in spans) {
    put(origin, [lane, page, 'spans', number], { v: 1, traces: spans[number]?.map(trace) });
  }
  return page;
}
const note = (origin: TestOrigin, page: string, text: string | undefined): void =>
  void origin.notes.set(`spandrel-1 ${LANE} ${page}`, text as string);
const whole = (...blobs: TraceBlob[]) => blobs.map((blob) => ({ blob, whole: true }));

test('adopting: blobs move with all that is known of them, and nothing is left behind but that they were taken', async () => {
  const origin = testOrigin();
  const tried = sound({ attempts: 2, notBeforeMillis: 7, claim: { key: 'k', token: 't', tries: 1 } });
  const fresh = sound();
  const page = leave(origin, { blobs: [tried, fresh] });
  const next = openPage(origin);
  await next.adopter.run();
  assert.deepEqual(next.blobs, [
    { ...tried, unconfirmed: true },
    { ...fresh, unconfirmed: false },
  ]);
  assert.deepEqual(keysOf(origin, LANE, page), []);
  assert.deepEqual(keysOf(origin, 'taken'), [`${LANE}/${page}`]);
  assert.deepEqual(keysOf(origin, LANE, next.name), [
    ...[tried, fresh].map(({ id }) => `blob/${id}`),
    ...[tried, fresh].map(({ id }) => `state/${id}`),
  ]);
  const after = openPage(origin);
  next.tabs.release();
  await after.adopter.run();
  assert.deepEqual(after.blobs, next.blobs, 'the next but one reads the same');
});

test('adopting: more blobs than one transaction takes', async () => {
  const origin = testOrigin();
  const blobs = Array.from({ length: 70 }, () => sound());
  leave(origin, { blobs });
  const sizes: number[] = [];
  const next = openPage(origin, {
    wrap: (store) => ({
      ...store,
      write(change) {
        if (change.deletes?.some((key) => key[2] === 'blob')) sizes.push(change.deletes.length);
        return store.write(change);
      },
    }),
  });
  await next.adopter.run();
  assert.deepEqual(sizes, [32, 32, 6]);
  assert.deepEqual(new Set(next.blobs.map(({ id }) => id)), new Set(blobs.map(({ id }) => id)));
});

test('adopting: spans of a checkpoint move record by record, under names that cannot clash', async () => {
  const origin = testOrigin();
  const [one, other] = [1, 2].map(() => leave(origin, { spans: { '1': ['a', 'b'], '2': ['c'] } }));
  const next = openPage(origin);
  await next.adopter.run();
  const expected = [one, other].flatMap((page) => [
    [`${LANE}/${next.name}/spans/${page} 1`, ['a', 'b']],
    [`${LANE}/${next.name}/spans/${page} 2`, ['c']],
  ]);
  assert.deepEqual(
    next.traces,
    expected.map(([key, names]) => [key, (names as string[]).map((name) => trace(name).json)]),
  );
  assert.equal(keysOf(origin, LANE, next.name).length, 4);
  assert.equal(keysOf(origin, 'taken', LANE).length, 2);
});

test('adopting: pages that live, other lanes and ourselves are left alone', async () => {
  const origin = testOrigin();
  const living = openPage(origin);
  leave(origin, { page: living.name, blobs: [sound()] });
  note(origin, living.name, lastWords(whole(sound()), 0, ''));
  leave(origin, { lane: 'to elsewhere', blobs: [sound()] });
  const next = openPage(origin);
  leave(origin, { page: next.name, blobs: [sound()], spans: { '1': ['a'] } });
  const before = origin.keys();
  await next.adopter.run();
  assert.deepEqual([next.blobs, next.traces], [[], []]);
  assert.deepEqual(origin.keys(), before);
  assert.equal(origin.notes.size, 1);
});

test('adopting: a page that has lost its lock does not take itself over', async () => {
  const origin = testOrigin();
  const page = openPage(origin);
  leave(origin, { page: page.name, blobs: [sound()] });
  page.tabs.release();
  await page.adopter.run();
  assert.deepEqual(page.blobs, []);
});

test('adopting: what a page wanted to be reminded of is handed on, and goes', async () => {
  const origin = testOrigin();
  const page = leave(origin, {});
  for (const name of ['a', 'b']) put(origin, [LANE, page, 'owed', name], `value of ${name}`);
  const next = openPage(origin);
  await next.adopter.run();
  assert.deepEqual(next.owed, [
    ['a', 'value of a'],
    ['b', 'value of b'],
  ]);
  assert.deepEqual(keysOf(origin, LANE), []);
});

test('adopting: only pages of our lane are asked for, and nobody while another page is at it', async () => {
  const origin = testOrigin();
  const page = leave(origin, {});
  leave(origin, { page, blobs: [sound()] });
  leave(origin, { lane: 'to elsewhere', blobs: [sound()] });
  const next = openPage(origin);
  const asked: string[] = [];
  const { ifDead } = next.tabs;
  next.tabs.ifDead = (name, task) => {
    asked.push(name);
    return ifDead(name, task);
  };
  origin.held.add(`${LANE} adopting`);
  await next.adopter.run();
  assert.deepEqual(asked, []);
  origin.held.delete(`${LANE} adopting`);
  await next.adopter.run();
  assert.deepEqual(asked, [page]);
});

test('adopting: one page at a time', async () => {
  const origin = testOrigin();
  leave(origin, { blobs: [sound(), sound()] });
  const [one, other] = [openPage(origin), openPage(origin)];
  await Promise.all([one.adopter.run(), other.adopter.run()]);
  assert.deepEqual([one.blobs.length, other.blobs.length], [2, 0]);
  assert.equal(origin.held.size, 2, 'a lock is left');
});

test('adopting: a note tells of blobs that the database does not have, and knows better of those that it has', async () => {
  const origin = testOrigin();
  const [known, unknown] = [sound(), sound({ claim: { key: 'k1', token: 't1', tries: 1 } })];
  const page = leave(origin, { blobs: [known] });
  known.claim = { key: 'k2', token: 't2', tries: 1 };
  note(origin, page, lastWords([{ blob: known, whole: false }, ...whole(unknown)], 0, ''));
  const next = openPage(origin);
  await next.adopter.run();
  assert.deepEqual(
    new Set(next.blobs.map(({ id, claim }) => `${id} ${claim?.key}`)),
    new Set([`${known.id} k2`, `${unknown.id} k1`]),
  );
  assert.ok(next.blobs.every(({ unconfirmed }) => unconfirmed));
  assert.equal(keysOf(origin, LANE, next.name).length, 4);
  assert.deepEqual(keysOf(origin, LANE, page), []);
  assert.equal(origin.notes.size, 0);
});

test('adopting: what both the note and the database have comes once', async () => {
  const origin = testOrigin();
  const blob = sound();
  const page = leave(origin, { blobs: [blob] });
  note(origin, page, lastWords(whole(blob), 0, ''));
  const next = openPage(origin);
  await next.adopter.run();
  assert.deepEqual(
    next.blobs.map(({ id }) => id),
    [blob.id],
  );
});

test('adopting: a note alone is found too', async () => {
  const origin = testOrigin();
  note(origin, nameOf(), lastWords(whole(sound()), 0, ''));
  const next = openPage(origin);
  await next.adopter.run();
  assert.equal(next.blobs.length, 1);
  assert.equal(keysOf(origin, 'taken').length, 1);
});

for (const [sealed, expected] of [
  [-1, ['10', '2', '3', `${'x'} 1`]],
  [2, ['10', '3']],
  [10, []],
] as const) {
  test(`adopting: of a checkpoint that is in blobs up to ${sealed}, ${expected.length} of 4 records are left`, async () => {
    const origin = testOrigin();
    const page = leave(origin, { spans: { '2': ['b'], '3': ['c'], '10': ['j'], 'x 1': ['x'] } });
    note(origin, page, lastWords(whole(sound()), sealed, ''));
    const next = openPage(origin);
    await next.adopter.run();
    // Those that the page had taken over itself have names, and are older than its last words.
    assert.deepEqual(
      keysOf(origin, LANE, next.name, 'spans').map((name) => name.slice(page.length + 1)),
      [...expected].sort(),
    );
    assert.deepEqual(keysOf(origin, LANE, page), []);
  });
}

for (const [sealed, comes] of [
  [3, false],
  [-1, true],
] as const) {
  test(`adopting: an armed tail ${comes ? 'that is in no other blob comes too' : 'that is in other blobs is no blob'}`, async () => {
    const origin = testOrigin();
    const tail = sound({ id: 'tail', claim: { key: 'k', token: 't', tries: 1 } });
    const page = leave(origin, { blobs: [tail] });
    note(origin, page, lastWords(whole(sound()), sealed, 'tail'));
    const next = openPage(origin);
    await next.adopter.run();
    assert.equal(
      next.blobs.some(({ id }) => id === 'tail'),
      comes,
    );
    assert.deepEqual(keysOf(origin, LANE, page), []);
  });
}

test('adopting: a blob that the database should have deleted is deleted, and not sent', async () => {
  const origin = testOrigin();
  const [gone, waiting] = [sound(), sound()];
  const page = leave(origin, { blobs: [gone, waiting] });
  note(origin, page, lastWords([], -1, '', [[LANE, page, 'blob', gone.id]]));
  const next = openPage(origin);
  await next.adopter.run();
  assert.deepEqual(
    next.blobs.map(({ id }) => id),
    [waiting.id],
  );
  assert.deepEqual(keysOf(origin, LANE, page), []);
});

test('adopting: what the user has denied is deleted, of whatever destination and page', async () => {
  const origin = testOrigin();
  const era = (count: number): string => `since denial ${count} `;
  leave(origin, { blobs: [sound()], spans: { '1': ['a'] } });
  leave(origin, { blobs: [sound()], lane: 'to another' });
  leave(origin, { blobs: [sound()], lane: `${era(1)}${LANE}` });
  put(origin, ['quarantine', LANE, 'page', 'blob', 'id'], {});
  put(origin, ['lease', 'page'], NOW);
  leave(origin, { blobs: [sound()], lane: `${era(2)}to another` });
  const mine = sound();
  leave(origin, { blobs: [mine], lane: `${era(2)}${LANE}` });
  const next = openPage(origin, { lane: `${era(2)}${LANE}` });
  await next.adopter.run();
  assert.deepEqual(
    next.blobs.map(({ id }) => id),
    [mine.id],
  );
  const kinds = origin.keys().map(([kind, place]) => (kind === 'taken' ? `taken ${place}` : kind));
  assert.deepEqual(
    new Set(kinds),
    new Set(['lease', `${era(2)}to another`, `${era(2)}${LANE}`, `taken ${era(2)}${LANE}`]),
  );
});

test('adopting: records that nobody can read are kept apart, the latest sixteen, and hold nothing up', async () => {
  const origin = testOrigin();
  const page = leave(origin, { blobs: [sound()], spans: { '1': ['a'] } });
  for (let count = 10; count < 30; count++)
    put(origin, [LANE, page, 'blob', `bad-${count}`], { v: 9, count });
  put(origin, [LANE, page, 'spans', '2'], { v: 9 });
  const next = openPage(origin);
  await next.adopter.run();
  assert.deepEqual([next.blobs.length, next.traces.length, next.corrupt], [1, 1, 21]);
  const kept = keysOf(origin, 'quarantine', LANE, page);
  assert.equal(kept.length, 16);
  assert.ok(kept.includes('spans/2'));
  assert.ok(!kept.includes('blob/bad-10'));
  assert.deepEqual(origin.records.get(JSON.stringify(['quarantine', LANE, page, 'spans', '2'])), { v: 9 });
});

for (const [name, text] of [
  ['no JSON', '{"v":1,'],
  ['another format', '{"v":2,"blobs":{}}'],
  ['no blob', '{"v":1,"blobs":{"a":null},"sealed":5}'],
] as const) {
  test(`adopting: a note that is ${name} is as good as none, and goes`, async () => {
    const origin = testOrigin();
    const page = leave(origin, { blobs: [sound()], spans: { '1': ['a'] } });
    note(origin, page, text);
    const next = openPage(origin);
    await next.adopter.run();
    assert.deepEqual([next.blobs.length, next.traces.length], [1, 1]);
    assert.equal(origin.notes.size, 0);
  });
}

test('adopting: a noted blob that cannot be read is said so, and stops nothing', async () => {
  const origin = testOrigin();
  const page = leave(origin, { blobs: [sound()] });
  const words = JSON.parse(lastWords(whole(sound(), sound()), 0, '') as string);
  const [first] = Object.values(words.blobs) as { record: { base64: string } }[];
  (first as { record: { base64: string } }).record.base64 = '%%%';
  note(origin, page, JSON.stringify(words));
  const next = openPage(origin);
  await next.adopter.run();
  assert.deepEqual([next.blobs.length, next.corrupt], [2, 1]);
  assert.equal(origin.notes.size, 0);
});

test('adopting: what is older than a month goes, of every lane', async () => {
  const origin = testOrigin();
  const [old, recent] = [nameOf(NOW - 31 * DAY - 1), nameOf(NOW - 31 * DAY + 1)];
  for (const page of [old, recent, 'no-name']) {
    put(origin, ['taken', LANE, page], NOW);
    put(origin, ['taken', 'to elsewhere', page], NOW);
    put(origin, ['to elsewhere', page, 'blob', 'b'], {});
    put(origin, ['lease', page, page], NOW);
    put(origin, ['quarantine', LANE, page, 'blob', 'b'], {});
  }
  await openPage(origin).adopter.run();
  assert.deepEqual(keysOf(origin, 'taken'), [`to elsewhere/${recent}`, `${LANE}/${recent}`]);
  assert.deepEqual(keysOf(origin, 'to elsewhere'), [`${recent}/blob/b`]);
  assert.deepEqual([keysOf(origin, 'lease').length, keysOf(origin, 'quarantine').length], [3, 3]);
});

/** A store whose writes are all refused after so many. */
const failingAfter = (writes: number) => (store: Store) => {
  let left = writes;
  return {
    ...store,
    write: (change: Parameters<Store['write']>[0]) =>
      left-- > 0 ? store.write(change) : Promise.reject(new Error('planted')),
  };
};

test('adopting: a crash between any two transactions leaves each record with one owner, and the next goes on', async () => {
  let crashes = 0;
  for (let writes = 0; ; writes++) {
    const origin = testOrigin();
    const blobs = Array.from({ length: 40 }, () => sound());
    const [noted, both] = [sound(), blobs[0] as TraceBlob];
    const page = leave(origin, { blobs, spans: { '1': ['a'], '2': ['b'], '3': ['c'] } });
    put(origin, [LANE, page, 'blob', 'bad'], 'bad');
    note(origin, page, lastWords(whole(noted, both), 1, 'tail'));
    leave(origin, { blobs: [sound()], spans: { '1': ['d'] } });

    const first = openPage(origin, { wrap: failingAfter(writes) });
    const crashed = await first.adopter.run().then(
      () => false,
      () => true,
    );
    first.tabs.release();
    const second = openPage(origin);
    await second.adopter.run();
    const owned = keysOf(origin, LANE, second.name);
    assert.deepEqual(
      [owned.filter((key) => key.startsWith('blob/')).length, keysOf(origin, LANE).length],
      [42, owned.length],
      `after ${writes} writes`,
    );
    assert.equal(new Set(second.blobs.map(({ id }) => id)).size, second.blobs.length, 'a blob came twice');
    assert.equal(second.blobs.length, 42);
    assert.equal(second.traces.length, 3, `after ${writes} writes`);
    assert.equal(keysOf(origin, 'quarantine').length, 1);
    assert.equal(origin.notes.size, 0);
    if (!crashed) break;
    crashes++;
  }
  assert.ok(crashes > 10, `${crashes} crashes`);
});

test('adopting: a crash as the note goes leaves the marks of what was taken from it', async () => {
  const origin = testOrigin();
  note(origin, nameOf(), lastWords(whole(sound()), 0, ''));
  const first = openPage(origin);
  const { delete: forget } = origin.notes;
  origin.notes.delete = () => {
    throw new Error('crash');
  };
  await assert.rejects(first.adopter.run(), /crash/);
  origin.notes.delete = forget;
  first.tabs.release();
  const second = openPage(origin);
  await second.adopter.run();
  assert.equal(second.blobs.length, 1);
});

test('adopting: after a failure the same page goes on where it stopped', async () => {
  for (let writes = 0; writes < 10; writes++) {
    const origin = testOrigin();
    const page = leave(origin, { blobs: [sound()], spans: { '1': ['a'], '2': ['b'] } });
    note(origin, page, lastWords(whole(sound()), 0, ''));
    let fails = true;
    const next = openPage(origin, {
      wrap(store) {
        const failing = failingAfter(writes)(store);
        return { ...store, write: (change) => (fails ? failing : store).write(change) };
      },
    });
    await next.adopter.run().catch(() => {});
    fails = false;
    await next.adopter.run();
    assert.deepEqual([next.blobs.length, next.traces.length], [2, 2], `after ${writes} writes`);
  }
});

/** A page that is away, with a blob in the database and one in its note. */
function away(): { origin: TestOrigin; page: Page; stored: TraceBlob; noted: TraceBlob; neither: TraceBlob } {
  const origin = testOrigin();
  const page = openPage(origin);
  const [stored, noted, neither] = [sound(), sound(), sound()];
  leave(origin, { page: page.name, blobs: [stored] });
  page.adopter.note(whole(noted), 0, '');
  page.tabs.release();
  return { origin, page, stored, noted, neither };
}

test('adopting: a page that returns is told what others took, from the database and from its note', async () => {
  const { origin, page, stored, noted, neither } = away();
  await openPage(origin).adopter.run();
  assert.equal(await page.adopter.isTaken(), true);
  const isTaken = await page.adopter.back();
  assert.deepEqual(
    [isTaken(stored, true), isTaken(noted, false), isTaken(neither, false)],
    [true, true, false],
  );
});

test('adopting: a page that returns before anybody came is told of nothing, nor when the user has cleared all', async () => {
  for (const isCleared of [false, true]) {
    const { origin, page, stored, noted } = away();
    if (isCleared) {
      origin.records.clear();
      origin.notes.clear();
    }
    assert.equal(await page.adopter.isTaken(), false);
    const isTaken = await page.adopter.back();
    assert.deepEqual([isTaken(stored, true), isTaken(noted, false)], [false, false]);
  }
});

test('adopting: a page that returns after who took it over has crashed midway is told what was taken', async () => {
  const { origin, page, stored, noted, neither } = away();
  const other = openPage(origin, { wrap: failingAfter(1) });
  await assert.rejects(other.adopter.run(), /planted/);
  assert.equal(origin.notes.size, 1, 'the note is still there');
  const isTaken = await page.adopter.back();
  assert.deepEqual(
    [isTaken(stored, true), isTaken(noted, false), isTaken(neither, false)],
    [false, true, false],
  );
});

test('adopting: last words replace earlier ones, and go when there is nothing to say any more', async () => {
  const { origin, page, noted } = away();
  const [earlier] = [...origin.notes.values()];
  origin.notesFull = true;
  page.adopter.note(whole(noted, sound()), 0, '');
  assert.deepEqual([...origin.notes.values()], [earlier], 'there is no room for more');
  origin.notesFull = false;
  page.adopter.note(whole(noted, sound()), 0, '');
  assert.deepEqual([...origin.notes.keys()], [`spandrel-1 ${LANE} ${page.name}`]);
  assert.notDeepEqual([...origin.notes.values()], [earlier]);
  page.adopter.note([], 0, '');
  assert.equal(origin.notes.size, 0);
  page.adopter.note(whole(noted), 0, '');
  page.adopter.forgetNote();
  assert.equal(origin.notes.size, 0);
});

test('adopting: without notes the database alone counts', async () => {
  const origin = testOrigin();
  leave(origin, { blobs: [sound()] });
  const next = openPage(origin, { hasNotes: false });
  await next.adopter.run();
  assert.equal(next.blobs.length, 1);
  next.adopter.note(whole(sound()), 0, '');
  next.adopter.forgetNote();
  assert.equal((await next.adopter.back())(sound(), false), false);
});
