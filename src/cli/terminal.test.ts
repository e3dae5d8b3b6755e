import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesInWords, millisInWords, printable } from './printable.js';
import { createTerminal, wantsColour } from './terminal.js';

function recorder(isTTY = false) {
  const lines: string[] = [];
  return { lines, isTTY, write: (text: string) => lines.push(text) };
}

test('terminal: with --json stdout has the document and nothing else', () => {
  for (const json of [true, false]) {
    const [stdout, stderr] = [recorder(), recorder()];
    const terminal = createTerminal({ stdout, stderr, env: {}, json });
    terminal.say('for people');
    terminal.document({ a: 1 });
    terminal.talk('beside');
    assert.equal(stdout.lines.join(''), json ? '{\n  "a": 1\n}\n' : 'for people\n');
    assert.deepEqual(stderr.lines, ['beside\n']);
  }
});

test('terminal: secrets are shown nowhere, in no spelling', () => {
  const [stdout, stderr] = [recorder(), recorder()];
  const secret = 'se/cr"et+key=';
  const human = createTerminal({ stdout, stderr, env: {}, json: false });
  const machine = createTerminal({ stdout, stderr, env: {}, json: true });
  for (const terminal of [human, machine]) {
    terminal.hide(secret);
    terminal.hide(undefined);
    terminal.hide('a');
    terminal.say(`key ${secret} and`);
    terminal.talk(`https://a/?key=${encodeURIComponent(secret)}`);
    terminal.document({ secret });
  }
  const shown = [...stdout.lines, ...stderr.lines].join('');
  assert.doesNotMatch(shown, /cr"et|cr\\"et|cr%22et/);
  assert.match(shown, /key \[secret\] and/);
});

test('terminal: colours where somebody sees them, unless the environment says otherwise', () => {
  const tty = recorder(true);
  assert.equal(wantsColour({}, tty), true);
  assert.equal(wantsColour({}, recorder()), false);
  assert.equal(wantsColour({ NO_COLOR: '1' }, tty), false);
  assert.equal(wantsColour({ NO_COLOR: '' }, tty), true);
  assert.equal(wantsColour({ TERM: 'dumb' }, tty), false);
  assert.equal(wantsColour({ FORCE_COLOR: '1' }, recorder()), true);
  assert.equal(wantsColour({ FORCE_COLOR: '0' }, tty), false);
  assert.equal(wantsColour({ FORCE_COLOR: '1', NO_COLOR: '1' }, tty), false);
});

test('printable: a line that no terminal obeys', () => {
  assert.equal(printable('a\u001b[31mb\nc\u202ed\u0085'), 'a\ufffd[31mb\ufffdc\ufffdd\ufffd');
  assert.equal(printable('😀\ud800'), '😀\ufffd');
  assert.equal(printable('x'.repeat(300), 5), 'xxxxx…');
});

test('printable: sizes and times', () => {
  assert.deepEqual([0, 1_023, 1_024, 10_240, 1_048_576, 2 ** 45].map(bytesInWords), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '10 KiB',
    '1.0 MiB',
    '32 TiB',
  ]);
  assert.deepEqual([12, 3_400, 900_000, 7_200_000, 604_800_000].map(millisInWords), [
    '12 ms',
    '3.4 s',
    '15 min',
    '2 h',
    '7 days',
  ]);
});
