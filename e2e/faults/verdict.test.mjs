import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markdownTable, textTable } from './table.mjs';
import { judge } from './verdict.mjs';

const CASE = { name: 'a-case', title: 'what happens', play: async () => {} };
const GOOD = {
  emitted: 3,
  missing: [],
  missingAtOnce: 0,
  unexpected: [],
  duplicateSpans: 0,
  duplicateObjects: 0,
  requests: { endpoint: 1, bucket: 2 },
  bytes: 500,
};

test('verdict: nothing to say when all came once', () => {
  const row = judge(CASE, 'chromium', [GOOD, { ...GOOD, requests: { endpoint: 2, bucket: 2 }, bytes: 700 }]);
  assert.deepEqual(row.complaints, []);
  assert.equal(row.percent, 100);
  assert.deepEqual(row.requests, { endpoint: 1.5, bucket: 2 });
  assert.equal(row.bytes, 600);
});

for (const [
  what,
  bad,
  complaint,
] of /** @type {[string, Partial<typeof GOOD> & { error?: string }, RegExp][]} */ ([
  ['a span is missing', { missing: ['a 1'] }, /^play 2: missing: a 1$/],
  ['a span came twice', { duplicateSpans: 1 }, /^play 2: stored twice: 1 spans, 0 objects$/],
  ['an object came twice', { duplicateObjects: 1 }, /^play 2: stored twice: 0 spans, 1 objects$/],
  ['a span came from nowhere', { unexpected: ['x'] }, /^play 2: spans that nobody emitted: x$/],
  ['a play broke off', { error: 'why' }, /^play 2: broke off: why$/],
  ['nothing was emitted', { emitted: 0 }, /^play 2: missing: $/],
])) {
  test(`verdict: complains when ${what}, in one play of two`, () => {
    const { complaints } = judge(CASE, 'chromium', [GOOD, { ...GOOD, ...bad }]);
    assert.equal(complaints.length, 1);
    assert.match(complaints[0] ?? '', complaint);
  });
}

test('verdict: a deviation allows less, and its reason is the note', () => {
  const one = { ...CASE, name: 'crash-renderer-no-return' };
  const nothing = [{ ...GOOD, missing: ['a', 'b', 'c'] }];
  const firefox = judge(one, 'firefox', nothing);
  assert.deepEqual(firefox.complaints, []);
  assert.match(firefox.note, /fetchLater/);
  assert.equal(judge(one, 'chromium', nothing).complaints.length, 1);
});

const ROWS = [
  { ...judge(CASE, 'chromium', [{ ...GOOD, missingAtOnce: 1 }]), percent: 99.999 },
  judge({ ...CASE, notes: { firefox: 'done otherwise' } }, 'firefox', [
    { ...GOOD, bytes: 1_234, duplicateSpans: 2 },
  ]),
  judge({ ...CASE, name: 'b-case', title: 'and then', skip: 'why not' }, 'firefox', []),
];

test('table: less than all is never 100 %, and what was not played says why', () => {
  assert.deepEqual(textTable(ROWS).split('\n').slice(1), [
    'a-case  chromium  66.66 %  99.99 %    0                   1 + 2     500 B',
    'a-case  firefox   100 %    100 %      2 spans, 0 objects  1 + 2     1.2 kB  done otherwise',
    'b-case  firefox   –        –          –                   –         –       not played: why not',
  ]);
});

test('table: for its README, a line per case with its notes below', () => {
  const text = markdownTable(ROWS, {
    date: '2026-11-21',
    versions: { chromium: '156', firefox: '153' },
    repeat: 5,
  });
  const lines = text.split('\n');
  assert.deepEqual(lines.slice(0, 4), [
    '| what happens | Chromium 156 | Firefox 153 |',
    '| --- | --- | --- |',
    '| what happens | 66.66 %, later 99.99 %, 0; 1 + 2; 500 B | 100 %, 2 spans, 0 objects; 1 + 2; 1.2 kB (1) |',
    '| and then |  | – (2) |',
  ]);
  assert.match(text, /Measured on 2026-11-21, each case 5 times/);
  assert.deepEqual(lines.slice(-3), ['1. Firefox: done otherwise.', '2. Firefox: not played: why not.', '']);
});
