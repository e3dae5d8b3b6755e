import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { testPlatform } from '../testing/platform.js';
import { createDiagnostics } from './diagnostics.js';

function setUp() {
  const platform = testPlatform();
  return { platform, diagnostics: createDiagnostics(platform.now, platform.after) };
}

test('diagnostics: stats are a copy, with the gauges of their owners', () => {
  const { diagnostics } = setUp();
  diagnostics.gauge((stats) => {
    stats.spans.waiting += 2;
  });
  diagnostics.gauge((stats) => {
    stats.spans.waiting += 3;
  });
  const stats = diagnostics.stats();
  assert.equal(stats.spans.waiting, 5);
  stats.spans.created = 99;
  stats.errors.push({ kind: 'mine', message: '', atMillis: 0, count: 1 });
  assert.equal(diagnostics.stats().spans.created, 0);
  assert.equal(diagnostics.stats().spans.waiting, 5);
  assert.deepEqual(diagnostics.stats().errors, []);
});

test('diagnostics: losses add up by reason; no loss leaves no trace', () => {
  const { diagnostics } = setUp();
  diagnostics.dropped('rejected', 0);
  assert.deepEqual(diagnostics.stats().spans.dropped, {});
  assert.deepEqual(diagnostics.stats().errors, []);
  diagnostics.dropped('rejected', 2);
  diagnostics.dropped('rejected', 3);
  diagnostics.dropped('too-old', 1);
  assert.deepEqual(diagnostics.stats().spans.dropped, { rejected: 5, 'too-old': 1 });
});

test('diagnostics: the latest eight kinds of trouble, newest last, counted', () => {
  const { diagnostics, platform } = setUp();
  for (let kind = 0; kind < 9; kind++) diagnostics.trouble(`kind-${kind}`, 'first');
  platform.jump(1_000);
  diagnostics.trouble('kind-3', 'again');
  const { errors } = diagnostics.stats();
  assert.equal(errors.length, 8);
  assert.equal(
    errors.some(({ kind }) => kind === 'kind-0'),
    false,
  );
  assert.deepEqual(errors.at(-1), { kind: 'kind-3', message: 'again', atMillis: platform.now(), count: 2 });
});

test('diagnostics: guard counts what is thrown and gives undefined, else the value', () => {
  const { diagnostics } = setUp();
  assert.equal(
    diagnostics.guard(() => 7),
    7,
  );
  assert.equal(
    diagnostics.guard(() => assert.fail('planted')),
    undefined,
  );
  assert.equal(diagnostics.stats().exceptions, 1);
  assert.match(diagnostics.stats().errors[0]?.message ?? '', /planted/);
});

test('diagnostics: subscribers hear at most ten times a second, also after one that throws', async () => {
  const { diagnostics, platform } = setUp();
  let heard = 0;
  diagnostics.subscribe(() => assert.fail('planted'));
  const stop = diagnostics.subscribe(() => void heard++);
  for (let change = 0; change < 50; change++) {
    diagnostics.changed();
    await platform.advance(10);
  }
  assert.ok(heard >= 4 && heard <= 5, String(heard));
  stop();
  const before = heard;
  diagnostics.changed();
  await platform.advance(1_000);
  assert.equal(heard, before);
  assert.deepEqual([...platform.exceptions], []);
});

test('diagnostics: without subscribers a change sets no timer', () => {
  const { diagnostics, platform } = setUp();
  diagnostics.changed();
  diagnostics.trouble('kind', 'message');
  assert.equal(platform.loose.timers, 0);
});

test('diagnostics: a host logger that throws is heard by nobody', () => {
  const throwing = () => assert.fail('planted');
  const logger = { error: throwing, warn: throwing, info: throwing, debug: throwing, verbose: throwing };
  diag.setLogger(logger, { suppressOverrideMessage: true, logLevel: DiagLogLevel.WARN });
  try {
    const { diagnostics } = setUp();
    diagnostics.exception(new Error('ours'));
    diagnostics.dropped('rejected', 1);
    assert.deepEqual(
      diagnostics.stats().errors.map(({ kind }) => kind),
      ['exception', 'rejected'],
    );
  } finally {
    diag.disable();
  }
});
