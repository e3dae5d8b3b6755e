import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPage } from '../testing/page-parts.js';
import { traceInteractions } from './interactions.js';

interface FakeElement {
  nodeType: number;
  localName: unknown;
  own: Record<string, string>;
  [field: string]: unknown;
}

/** An element with attributes, such as `button#save`: a tag, and what else it has. */
const element = (localName: unknown, own: Record<string, string> = {}, more = {}): FakeElement => ({
  ...{ nodeType: 1, localName, own, ...more },
});

const TEXT = { nodeType: 3 };
const DOCUMENT = { nodeType: 9 };
const BODY = element('body');

function createPage(ignore?: (type: string, element: Element) => boolean) {
  const page = testPage();
  const target = new EventTarget();
  const listened: unknown[] = [];
  const scope = {
    location: { href: 'https://shop.test/product/7' },
    Element: {
      prototype: {
        getAttribute(this: FakeElement, name: string) {
          return this.own[name] ?? null;
        },
      },
    },
    addEventListener(type: string, listener: EventListener, options: unknown) {
      listened.push(options);
      target.addEventListener(type, listener);
    },
    removeEventListener(type: string, listener: EventListener) {
      listened.pop();
      target.removeEventListener(type, listener);
    },
  };
  const stop = traceInteractions(page.deps, scope as never, ignore);
  const fire = (
    type: string,
    path: unknown[] = [element('button')],
    more: Record<string, unknown> = {},
  ): void => {
    const event = new Event(type);
    const fields = { isTrusted: true, timeStamp: page.clock.now() - 5, ...more };
    for (const [name, value] of Object.entries(fields)) Object.defineProperty(event, name, { value });
    event.composedPath = () => [...path, BODY, DOCUMENT, scope] as EventTarget[];
    target.dispatchEvent(event);
  };
  return { ...page, stop, fire, listened, names: () => page.roots.map(({ name }) => name) };
}

const WHERE: [what: string, path: unknown[], name: string][] = [
  ['a button', [element('button')], 'button'],
  ['text in a button', [TEXT, element('b'), element('button', { id: 'buy' })], 'button#buy'],
  [
    'a picture in a link',
    [element('rect'), element('svg', { id: 'icon' }), element('a', { id: 'x' })],
    'a#x',
  ],
  [
    'a shadow root',
    [element('i'), element('button', { id: 'in' }), { nodeType: 11 }, element('x-y')],
    'button#in',
  ],
  ['a role', [element('i'), element('li', { role: 'menuitemradio', id: 'm' })], 'li#m'],
  ['a role that is no control', [element('i'), element('main', { role: 'main' })], 'i'],
  ['nothing to press', [element('div', { class: 'card' }), element('main')], 'div.card'],
  ['a name of its own', [element('div', { 'data-spandrel': 'buy now', id: 'x' })], 'buy now'],
  ['a name around it', [element('i'), element('div', { 'data-spandrel': 'the list' })], 'the list'],
  ['an empty name', [element('a', { 'data-spandrel': '' })], 'a'],
  ['a numbered id', [element('button', { id: 'item-42-up' })], 'button#item-*-up'],
  [
    'an id of one of many',
    [element('button', { id: '0190f7e2-8c1b-7def-8a2b-3c4d5e6f7a8b', name: 'n' })],
    'button[name=n]',
  ],
  ['a test id', [element('a', { 'data-testid': 'row-3', name: 'n' })], 'a[data-testid=row-*]'],
  [
    'a field',
    [element('input', { name: 'email', value: 'ada@example.org', class: 'x' })],
    'input[name=email]',
  ],
  ['classes', [element('button', { class: ' primary big ' })], 'button.primary'],
  ['a long name', [element('a', { 'data-spandrel': 'x'.repeat(99) })], 'x'.repeat(50)],
  [
    'a form whose fields hide its own',
    [element({}, { id: 'f' }, { id: {}, getAttribute: {}, closest: {} })],
    'form#f',
  ],
  ['nothing but the document', [DOCUMENT], 'body'],
];
for (const [what, path, name] of WHERE) {
  test(`interactions: a click on ${what} is named ${name}`, () => {
    const { fire, names, exceptions } = createPage();
    fire('click', path);
    assert.deepEqual(exceptions, []);
    assert.deepEqual(names(), [`click ${name}`]);
  });
}

test('interactions: what is said of one, from when it happened', () => {
  const { fire, roots, activities, clock } = createPage();
  fire('click', [element('a', { id: 'x' })]);
  assert.deepEqual(roots[0]?.attributes, {
    'spandrel.activity.type': 'interaction',
    'spandrel.interaction.type': 'click',
    'spandrel.interaction.target': 'a#x',
    'url.template': '/product/:id',
    // There is no document in here to resolve it by.
    'browser.document.url.full': 'invalid:',
  });
  assert.equal(activities.current?.startedAt, clock.now() - 5);
});

const IMPOSSIBLE = [0, -1, Number.NaN, undefined, 1e15, 5_001];
for (const timeStamp of IMPOSSIBLE) {
  test(`interactions: an event from ${timeStamp} happened now`, () => {
    const { fire, activities, clock } = createPage();
    fire('click', undefined, { timeStamp });
    assert.equal(activities.current?.startedAt, clock.now());
  });
}

test('interactions: an event that waited for 10 s is not believed', async () => {
  const { fire, activities, clock, platform } = createPage();
  await platform.advance(20_000);
  fire('click', undefined, { timeStamp: clock.now() - 9_999 });
  assert.equal(activities.current?.startedAt, clock.now() - 9_999);
  fire('pointerdown');
  fire('click', undefined, { timeStamp: clock.now() - 10_000 });
  assert.equal(activities.current?.startedAt, clock.now());
});

test('interactions: one that leads to nothing leaves nothing', async () => {
  const { fire, discarded, platform, activities } = createPage();
  fire('click');
  await platform.advance(1_000);
  assert.equal(discarded.length, 1);
  assert.equal(activities.current, undefined);
});

test('interactions: the events of one gesture are one, those of the next another', async () => {
  const { fire, names, platform } = createPage();
  const input = [element('input', { name: 'q' })];
  fire('keydown', input, { key: 'Enter' });
  fire('click', [element('button')]);
  fire('submit', [element('form')]);
  assert.deepEqual(names(), ['keydown input[name=q]']);
  fire('pointerdown');
  fire('click', [element('label')]);
  fire('click', input);
  assert.deepEqual(names().slice(1), ['click label']);
  // Nothing told of the next: a screen reader, say.
  await platform.advance(100);
  fire('click', input);
  assert.deepEqual(names().slice(2), ['click input[name=q]']);
});

const COUNTS: [what: string, type: string, path: unknown[], more: object, counts: boolean][] = [
  ['a press', 'pointerdown', [element('button')], {}, false],
  ['Enter in a field', 'keydown', [element('input')], { key: 'Enter' }, true],
  [
    'Enter on a div that is a button',
    'keydown',
    [element('div', { role: 'button' })],
    { key: 'Enter' },
    true,
  ],
  ['the space bar on it', 'keydown', [element('div', { role: 'button' })], { key: ' ' }, true],
  ['the space bar in a field', 'keydown', [element('input')], { key: ' ' }, false],
  ['a letter', 'keydown', [element('input')], { key: 'a' }, false],
  ['Enter on a button', 'keydown', [element('i'), element('button')], { key: 'Enter' }, false],
  ['Enter on a link', 'keydown', [element('a')], { key: 'Enter' }, false],
  ['Enter in a text', 'keydown', [element('textarea')], { key: 'Enter' }, false],
  ['Enter in an editor', 'keydown', [element('p', {}, { isContentEditable: true })], { key: 'Enter' }, false],
  ['Enter that is held', 'keydown', [element('input')], { key: 'Enter', repeat: true }, false],
  [
    'Enter that ends a composition',
    'keydown',
    [element('input')],
    { key: 'Enter', isComposing: true },
    false,
  ],
  ['a submission', 'submit', [element('form')], {}, true],
  ['a choice', 'change', [element('select', {}, { type: 'select-one' })], {}, true],
  ['a file', 'change', [element('input', {}, { type: 'file' })], {}, true],
  ['a range', 'change', [element('input', {}, { type: 'range' })], {}, true],
  ['a text that changed', 'change', [element('input', {}, { type: 'text' })], {}, false],
  ['a click by a script', 'click', [element('button')], { isTrusted: false }, false],
];
for (const [what, type, path, more, counts] of COUNTS) {
  test(`interactions: ${what} ${counts ? 'counts' : 'does not count'}`, () => {
    const { fire, names } = createPage();
    fire(type, path, more as Record<string, unknown>);
    assert.equal(names().length, Number(counts), names().join());
  });
}

test('interactions: nothing that is typed or shown is looked at', () => {
  const { fire, exceptions, names } = createPage();
  const secret = element('input', { name: 'n' });
  for (const field of ['value', 'textContent', 'innerText', 'innerHTML', 'files'])
    Object.defineProperty(secret, field, { get: () => assert.fail(field) });
  fire('click', [secret]);
  assert.deepEqual([names(), exceptions], [['click input[name=n]'], []]);
});

test('interactions: listens first, and not any more once stopped', () => {
  const { fire, listened, names, stop, platform } = createPage();
  assert.deepEqual(listened, Array(5).fill({ capture: true }));
  fire('click');
  stop();
  fire('pointerdown');
  fire('click');
  assert.deepEqual([listened, names().length], [[], 1]);
  // The activity's own two.
  assert.equal(platform.loose.timers, 2);
});

test('interactions: what the app ignores begins nothing; a hook that throws ignores nothing', () => {
  const { fire, names, exceptions } = createPage((type, target) => {
    if ((target as unknown as FakeElement).localName === 'a') throw new Error('planted');
    return type === 'click' || (target as unknown as FakeElement).localName === 'select';
  });
  fire('click');
  fire('change', [element('select', {}, { type: 'select-one' })]);
  assert.deepEqual(names(), []);
  fire('click', [element('a')]);
  assert.deepEqual([names(), exceptions.length], [['click a'], 1]);
});
