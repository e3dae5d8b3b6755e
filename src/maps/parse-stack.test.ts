import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStack } from './parse-stack.js';

const APP = 'https://shop.example/assets/app.js';
/** `name url line:column`, with `async` in front; `-` for lines without a place. */
const said = (stack: string): string[] =>
  parseStack(stack).map(({ frame }) =>
    frame
      ? `${frame.isAsync ? 'async ' : ''}${frame.name || '?'} ${frame.url} ${frame.line}:${frame.column}`
      : '-',
  );

test('stack: Chrome', () => {
  assert.deepEqual(
    said(
      [
        'TypeError: no street at https://shop.example/a.js',
        `    at o (${APP}:1:203)`,
        `    at async Promise.all (index 0)`,
        `    at async r.submit [as onclick] (${APP}?v=2:1:9)`,
        `    at new Cart (${APP}:3:4)`,
        `    at ${APP}:7:1`,
        `    at Array.map (<anonymous>)`,
        `    at eval (eval at run (${APP}:1:2), <anonymous>:1:1)`,
        `    at f (https://shop.example/(group)/page.js:2:5)`,
      ].join('\n'),
    ),
    [
      '-',
      `o ${APP} 1:203`,
      '-',
      `async r.submit ${APP}?v=2 1:9`,
      `Cart ${APP} 3:4`,
      `? ${APP} 7:1`,
      '-',
      '-',
      'f https://shop.example/(group)/page.js 2:5',
    ],
  );
});

test('stack: Firefox and Safari', () => {
  assert.deepEqual(
    said(
      [
        'TypeError: address is undefined',
        `o@${APP}:1:203`,
        `async*submit/<@${APP}:1:9`,
        `@${APP}:2:1`,
        `${APP}:4:5`,
        `global code@${APP}:9:9`,
        'map@[native code]',
        `run@${APP} line 5 > eval:1:1`,
        'x@https://cdn.example/each@1.2.0/each.js:1:2',
      ].join('\n'),
    ),
    [
      '-',
      `o ${APP} 1:203`,
      `async submit ${APP} 1:9`,
      `? ${APP} 2:1`,
      `? ${APP} 4:5`,
      `? ${APP} 9:9`,
      '-',
      '-',
      'x https://cdn.example/each@1.2.0/each.js 1:2',
    ],
  );
});

test('stack: what is hostile costs little', () => {
  const begun = process.cpuUsage();
  for (const piece of ['at (', '@', '(((', ')))', '/'.repeat(7), 'async ', ':1:1', 'at a@b ']) {
    parseStack(piece.repeat(100_000));
    parseStack(`${piece.repeat(500)}\n`.repeat(1_000));
  }
  assert.ok(process.cpuUsage(begun).user < 3_000_000, 'a few seconds of CPU on any machine');
});
