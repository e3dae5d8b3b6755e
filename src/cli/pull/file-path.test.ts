import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { filePathOf } from './file-path.js';

test('file path: keys of the layout stay as they are', () => {
  const key = 'otlp/v1/shop/production/year=2026/month=11/day=21/hour=03/minute=04/traces_01a2-b.json.gz';
  assert.equal(filePathOf(key), key);
});

test('file path: what a file system or a shell would take for something else is encoded', () => {
  const cases: [key: string, file: string][] = [
    ['../../etc/passwd', '%2E%2E/%2E%2E/etc/passwd'],
    ['/etc/passwd', '%/etc/passwd'],
    ['a//b/', 'a/%/b/%'],
    ['a\\..\\b', 'a%5C..%5Cb'],
    ['C:x', 'C%3Ax'],
    ['con/nul.json/COM1', '%63on/%6Eul.json/%43OM1'],
    ['a.', 'a%2E'],
    ['.hidden/-rf', '%2Ehidden/%2Drf'],
    ['100%', '100%25'],
    ['ü\n\0', '%C3%BC%0A%00'],
  ];
  for (const [key, file] of cases) assert.equal(filePathOf(key), file);
});

test('file path: where capitals are small letters, keys that differ in them do not meet', () => {
  const small = (key: string): string => filePathOf(key, { ignoresCase: true });
  assert.equal(small('shop/Traces_a.json.gz'), 'shop/%54races_a.json.gz');
  for (const [one, other] of [
    ['A', 'a'],
    ['%41', 'A'],
    ['CON', 'con'],
    ['\u017f', 's'],
    [`${'a'.repeat(300)}B`, `${'a'.repeat(300)}b`],
  ] as const) {
    assert.notEqual(small(one).toLowerCase(), small(other).toLowerCase(), `${one} ${other}`);
  }
});

test('file path: never outside, never too long, and no two keys in one place', () => {
  const segment = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '..',
      '.',
      '',
      '%',
      '%2E',
      '%2E%2E',
      'con',
      'a'.repeat(300),
      'a'.repeat(301),
      'ü'.repeat(120),
    ),
  );
  const key = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
  fc.assert(
    fc.property(key, key, (one, other) => {
      const file = filePathOf(one);
      const resolved = path.posix.join('/any/folder', file);
      assert.ok(resolved.startsWith('/any/folder/'), file);
      assert.equal(path.posix.join('/', file), `/${file}`);
      assert.ok(path.win32.join('C:\\folder', ...file.split('/')).startsWith('C:\\folder\\'));
      for (const name of file.split('/')) {
        assert.match(name, /^[\w.=~@+,()%-]{1,200}$/);
        assert.doesNotMatch(name, /^\.|\.$/);
      }
      if (one !== other) {
        assert.notEqual(file, filePathOf(other));
      }
    }),
    { numRuns: 500 },
  );
});
