import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onPageSignal } from './page-lifecycle.js';
import type { PageSignal } from './platform.js';

const transition = (type: string, persisted: boolean): Event => Object.assign(new Event(type), { persisted });

function setUp(): {
  win: EventTarget;
  doc: { isHidden: boolean };
  heard: PageSignal[];
  stop: () => void;
} {
  const win = new EventTarget();
  const doc = { isHidden: false };
  const heard: PageSignal[] = [];
  const stop = onPageSignal(
    win,
    () => doc.isHidden,
    (signal) => void heard.push(signal),
  );
  return { win, doc, heard, stop };
}

test('page lifecycle: each row of the table', () => {
  const { win, doc, heard } = setUp();
  win.dispatchEvent(new Event('beforeunload'));
  doc.isHidden = true;
  win.dispatchEvent(new Event('visibilitychange'));
  win.dispatchEvent(transition('pagehide', true));
  win.dispatchEvent(transition('pageshow', true));
  win.dispatchEvent(transition('pageshow', false));
  win.dispatchEvent(new Event('freeze'));
  win.dispatchEvent(new Event('resume'));
  doc.isHidden = false;
  win.dispatchEvent(new Event('visibilitychange'));
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard, [
    'unloading',
    'hidden',
    'cached',
    'visible',
    'cached',
    'visible',
    'visible',
    'leaving',
  ]);
});

test('page lifecycle: nothing that keeps a page out of the bfcache', () => {
  const types: string[] = [];
  const target = {
    addEventListener: (type: string, _listener: unknown, options?: { capture?: boolean }) => {
      types.push(type);
      assert.equal(options?.capture, true);
    },
    removeEventListener() {},
  };
  onPageSignal(
    target as never,
    () => false,
    () => {},
  );
  assert.deepEqual(types.sort(), [
    'beforeunload',
    'freeze',
    'pagehide',
    'pageshow',
    'resume',
    'visibilitychange',
  ]);
});

test('page lifecycle: a page that stops the event does not stop us, and stop does', () => {
  const { win, heard, stop } = setUp();
  win.addEventListener('pagehide', (event) => event.stopImmediatePropagation());
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard, ['leaving']);
  stop();
  stop();
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard, ['leaving']);
});

test('page lifecycle: who ends spans hears before who sends them, though it came later', () => {
  const { win, heard, stop } = setUp();
  const stopFirst = onPageSignal(
    win,
    () => false,
    () => void heard.push('unloading'),
    true,
  );
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard.slice(0, 2), ['unloading', 'leaving']);
  stopFirst();
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard.slice(3), ['leaving']);
  stop();
});
