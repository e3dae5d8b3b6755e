import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutMiddle } from './cut-middle.mjs';
import { readVital } from './page-facts.mjs';
import { labelOf, repeatedNames } from './span-label.mjs';
import { buildTree } from './span-tree.mjs';
import { attributes, span } from './testing/page-trace.mjs';

const named = (name, values = {}) => span({ name, attributes: attributes(values) });
const at = (url) => ({ 'url.full': url });

test('labels: what many rows share goes first, and what tells them apart last', () => {
  const spans = [
    named('load /', at('https://shop.test/')),
    named('resourceFetch', at('https://shop.test/a/style.css?v=2')),
    named('resourceFetch', at('https://shop.test/a/shop.css')),
    named('GET', at('https://shop.test/api/products')),
    named('GET /api/products', { 'url.path': '/api/products' }),
    named('build the cathedral'),
    named('open the door', at('https://shop.test/door')),
    named('route /shop/product/:id', at('https://shop.test/shop/product/trowel')),
    named('long-animation-frame', { 'spandrel.long_frame.blocking_millis': 80.4 }),
    named('long-animation-frame'),
    named('web-vital CLS', {
      'browser.web_vital.name': 'cls',
      'browser.web_vital.value': 0.31,
      'browser.web_vital.rating': 'poor',
    }),
  ];
  const repeated = repeatedNames(buildTree(spans).roots);
  assert.deepEqual(
    spans.map((one) => {
      const { before, main, after, isShort } = labelOf(one, readVital(one), repeated);
      return [isShort ? before.toUpperCase() : before, main, after];
    }),
    [
      ['', 'load /', ''],
      ['resourceFetch', 'style.css', ''],
      ['resourceFetch', 'shop.css', ''],
      ['GET', 'products', ''],
      ['', 'GET /api/products', ''],
      ['', 'build the cathedral', ''],
      ['', 'open the door', ''],
      ['', 'route /shop/product/:id', 'trowel'],
      ['long-animation-frame', 'blocked 80 ms', ''],
      ['', 'long-animation-frame', ''],
      ['web-vital', 'CLS 0.31, poor', ''],
    ],
  );
});

test('labels: of what is too long beginning and end stay, as much as there is room for', () => {
  const widthOf = (text) => [...text].length;
  const cut = (text, width, tail = 10) => cutMiddle(text, width, widthOf, tail);
  assert.equal(cut('/assets/chunk-0123456789abcdef.js', 20), '/assets/c…9abcdef.js');
  assert.equal(cut('click button.primary', 12), 'click…rimary');
  assert.equal(cut('resourceFetch ', 6, 1), 'reso… ');
  assert.equal(cut('😀😀😀😀😀😀', 4), '😀…😀😀');
  assert.equal(cut('abc', 0), '…');
  for (let width = 1; width < 40; width++) assert.ok(widthOf(cut('x'.repeat(40), width)) <= width);
});
