import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryQuota } from './memory-quota.js';
import type { QuotaTake } from './quota.js';

const cost = (objects: number, bytes = 0) => ({ objects, bytes, relayedBytes: 0 });

function takeOf(names: string[], wanted: number, change: Partial<QuotaTake> = {}): QuotaTake {
  const budgets = names.map((name) => ({ name, limits: { objects: 10 } }));
  const costs = Array.from({ length: wanted }, () => cost(1));
  return { project: 'p', windowSeconds: 60, budgets, wanted: costs, ...change };
}

test('memory quota: however many take at once, no more is granted than there is', async () => {
  const { take } = memoryQuota({ now: () => 0 });
  const answers = await Promise.all(Array.from({ length: 50 }, () => take(takeOf(['project'], 3))));
  assert.equal(answers.flatMap(({ granted }) => granted.filter(Boolean)).length, 10);
});

test('memory quota: what does not fit one budget takes nothing from the others', async () => {
  const { take } = memoryQuota({ now: () => 0 });
  await take(takeOf(['page a'], 10));
  assert.deepEqual((await take(takeOf(['page a', 'project'], 2))).granted, [false, false]);
  assert.equal((await take(takeOf(['project'], 10))).granted.filter(Boolean).length, 10);
});

test('memory quota: a window begins with the first that is taken and is over at its end', async () => {
  let nowMillis = 1_000;
  const { take } = memoryQuota({ now: () => nowMillis });
  assert.equal((await take(takeOf(['project'], 10))).retryAfterSeconds, 0);
  nowMillis += 59_999;
  assert.deepEqual(await take(takeOf(['project'], 1)), { granted: [false], retryAfterSeconds: 1 });
  nowMillis += 1;
  assert.deepEqual(await take(takeOf(['project'], 1)), { granted: [true], retryAfterSeconds: 0 });
});

// Names that are made up: of pages, of subjects, in the same project and in another; asking for nothing, for little, for
// as much as the one that is to be pushed out, and for more than there is.
for (const made of ['page', 'subject']) {
  for (const project of ['p', 'q']) {
    for (const wanted of [0, 1, 9, 10, 11]) {
      test(`memory quota: names that are made up push no count out: ${made}, ${project}, ${wanted}`, async () => {
        const { take } = memoryQuota({ maxSubjects: 100, now: () => 0 });
        const counted = ['project', 'page a', 'subject b'];
        for (const name of counted) await take(takeOf([name], 10));
        for (let index = 0; index < 1_000; index += 1) {
          await take(takeOf([`${made} ${index}`], wanted, { project }));
        }
        for (const name of counted) assert.equal((await take(takeOf([name], 1))).granted[0], false, name);
      });
    }
  }
}

test('memory quota: a quiet project is remembered beside any number of others, and what is refused is not', async () => {
  const { take } = memoryQuota({ maxSubjects: 100, now: () => 0 });
  for (let index = 0; index < 300; index += 1) await take(takeOf(['project'], 10, { project: `p${index}` }));
  assert.equal((await take(takeOf(['project'], 1, { project: 'p0' }))).granted[0], false);
  for (let index = 0; index < 99; index += 1) await take(takeOf([`page ${index}`], 1));
  for (let index = 0; index < 1_000; index += 1)
    await take(takeOf(['project', `subject ${index}`], 9, { project: 'p1' }));
  assert.equal((await take(takeOf(['page 98'], 10))).granted.filter(Boolean).length, 9, 'remembered');
});

test('memory quota: what is past its window makes room before anything else', async () => {
  let nowMillis = 0;
  const { take } = memoryQuota({ maxSubjects: 100, now: () => nowMillis });
  for (let index = 0; index < 100; index += 1) await take(takeOf([`page ${index}`], 10));
  nowMillis = 60_000;
  await take(takeOf(['subject a'], 2));
  for (let index = 100; index < 199; index += 1) await take(takeOf([`page ${index}`], 1));
  assert.equal((await take(takeOf(['subject a'], 10))).granted.filter(Boolean).length, 8);
});

test('memory quota: options that are none are refused', () => {
  for (const options of [{ maxSubjects: 99 }, { maxSubjects: 1.5 }, { now: 7 as never }]) {
    assert.throws(() => memoryQuota(options), /option "(maxSubjects|now)" got .*; it takes ./);
  }
});

test('memory quota: grants never add up to more than a limit, in any order and of any size', async () => {
  const wanted = fc.array(fc.record({ objects: fc.nat(3), bytes: fc.nat(50), relayedBytes: fc.nat(50) }), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(wanted, { maxLength: 10 }),
      fc.nat(10),
      fc.nat(200),
      async (takes, objects, bytes) => {
        const { take } = memoryQuota({ now: () => 0 });
        const total = cost(0);
        for (const costs of takes) {
          const budgets = [{ name: 'project', limits: { objects, bytes } }];
          const { granted, retryAfterSeconds } = await take(takeOf([], 0, { budgets, wanted: costs }));
          assert.equal(retryAfterSeconds > 0, granted.includes(false));
          granted.forEach((isGranted, index) => {
            if (!isGranted) return;
            total.objects += costs[index]?.objects ?? 0;
            total.bytes += costs[index]?.bytes ?? 0;
          });
        }
        assert.ok(total.objects <= objects && total.bytes <= bytes);
      },
    ),
  );
});
