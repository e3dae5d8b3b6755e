import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createBrowserPlatform } from './browser.js';

type Fetch = typeof globalThis.fetch;

interface Fields {
  fetch?: Fetch;
  navigator?: unknown;
  scheduler?: unknown;
  requestIdleCallback?: unknown;
  cancelIdleCallback?: unknown;
  fetchLater?: unknown;
}

/** What a page's global object has of what the platform asks for. */
function page(fields: Fields = {}) {
  const win = new EventTarget();
  const scope = Object.assign(win, {
    Document: EventTarget,
    document: Object.assign(new EventTarget(), { visibilityState: 'visible' }),
    fetch: async () => new Response('ok'),
    ...fields,
  });
  const exceptions: unknown[] = [];
  const platform = createBrowserPlatform((error) => void exceptions.push(error), scope as never);
  return { platform, scope, exceptions };
}

test('browser: a request is the host’s fetch, and its body is read', async () => {
  const seen: unknown[] = [];
  const { platform, scope } = page({
    async fetch(this: unknown, url, init) {
      seen.push(this, url, init?.cache, init?.method);
      return new Response('body', { status: 503, headers: { 'retry-after': '7' } });
    },
  });
  const answer = await platform.request('https://a.test/', { method: 'PUT' });
  assert.deepEqual(answer, { status: 503, body: 'body', retryAfterMillis: 7_000 });
  assert.deepEqual(seen, [scope, 'https://a.test/', undefined, 'PUT']);
});

test('browser: a body is read across its chunks, as UTF-8; an endless one is cut and cancelled', async () => {
  let cancelled = false;
  const bodies = [
    new ReadableStream({
      start(controller) {
        for (const byte of new TextEncoder().encode('añ€😀')) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    }),
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(97)),
      cancel: () => {
        cancelled = true;
      },
    }),
    null,
  ];
  const { platform } = page({ fetch: async () => new Response(bodies.shift()) });
  assert.equal((await platform.request('https://a.test/', {})).body, 'añ€😀');
  const { length } = (await platform.request('https://a.test/', {})).body;
  assert.ok(length >= 262_144 && length <= 393_216, String(length));
  assert.equal(cancelled, true);
  assert.equal((await platform.request('https://a.test/', {})).body, '');
});

test('browser: a caller reads what it wants of an answer', async () => {
  const { platform } = page({ fetch: async () => new Response('pb', { status: 206 }) });
  const read = async (response: Response) => ({ bytes: new Uint8Array(await response.arrayBuffer()) });
  const { status, bytes } = await platform.request('https://a.test/', {}, undefined, read);
  assert.deepEqual([status, bytes], [206, new Uint8Array([112, 98])]);
});

test('browser: what is PUT bears no Cache-Control, which a store would keep', async () => {
  const heard: IncomingHttpHeaders[] = [];
  const server = createServer(({ headers }, response) => {
    heard.push(headers);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { platform } = page({ fetch: globalThis.fetch });
  const { port } = server.address() as AddressInfo;
  await platform.request(`http://127.0.0.1:${port}/`, { method: 'PUT', body: 'x' });
  platform.close();
  server.close();
  assert.deepEqual([heard[0]?.['cache-control'], heard[0]?.['pragma']], [undefined, undefined]);
});

test('browser: a request has begun when the call returns', () => {
  let begun = false;
  const { platform } = page({
    fetch: () => {
      begun = true;
      return new Promise(() => {});
    },
  });
  void platform.request('https://a.test/', {});
  assert.equal(begun, true);
  platform.close();
});

test('browser: a request is given up after the time that its caller gives it', async () => {
  let aborted = false;
  const { platform } = page({
    fetch: (_url, init) =>
      new Promise(() => {
        init?.signal?.addEventListener('abort', () => {
          aborted = true;
        });
      }),
  });
  assert.deepEqual(await platform.request('https://a.test/', {}, 1), { status: 0, body: 'given up' });
  assert.equal(aborted, true);
});

test('browser: close gives up the requests, ends the timers, gives the keepalive bytes back, and begins nothing', async () => {
  let aborted = false;
  const { platform } = page({
    fetch: (_url, init) =>
      new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('aborted'));
        });
      }),
  });
  const free = platform.keepalive.freeBytes;
  platform.keepalive.reserve(1_000);
  platform.after(0, () => assert.fail('a timer ran'));
  const request = platform.request('https://a.test/', {});
  platform.close();
  platform.close();
  assert.equal((await request).status, 0);
  assert.equal(aborted, true);
  assert.equal(platform.keepalive.freeBytes, free);
  platform.after(0, () => assert.fail('a timer was set'));
  assert.equal((await platform.request('https://a.test/', {})).status, 0);
  await new Promise((resolve) => setTimeout(resolve, 1));
});

for (const [name, fetch] of [
  ['rejects', () => Promise.reject(new TypeError('Failed to fetch'))],
  [
    'throws',
    () => {
      throw new TypeError('Failed to fetch');
    },
  ],
  [
    'breaks midway',
    async () =>
      new Response(new ReadableStream({ start: (body) => body.error(new TypeError('Failed to fetch')) })),
  ],
] as [string, Fetch][]) {
  test(`browser: a fetch that ${name} is an answer of status 0`, async () => {
    const { platform } = page({ fetch });
    assert.deepEqual(await platform.request('https://a.test/', {}), {
      status: 0,
      body: 'TypeError: Failed to fetch',
    });
  });
}

test('browser: the marks of instrumentations are followed to the first fetch, and a ring of them ends', async () => {
  const first: Fetch = async () => new Response('first');
  const inner = Object.assign(async () => new Response('inner'), { __sentry_original__: first });
  const outer = Object.assign(async () => new Response('outer'), { __original: inner });
  assert.equal((await page({ fetch: outer }).platform.request('https://a.test/', {})).body, 'first');
  const ring: Fetch & { __original?: Fetch } = async () => new Response('ring');
  ring.__original = ring;
  assert.equal((await page({ fetch: ring }).platform.request('https://a.test/', {})).body, 'ring');
});

test('browser: its own requests and beacons are known by URL, the latest hundred', async () => {
  const { platform } = page({ navigator: { sendBeacon: () => true } });
  platform.beacon('https://a.test/beacon', 'x');
  assert.equal(platform.isOwnRequest('https://a.test/beacon'), true);
  for (let count = 0; count < 100; count++) await platform.request(`https://a.test/${count}`, {});
  assert.equal(platform.isOwnRequest('https://a.test/99'), true);
  assert.equal(platform.isOwnRequest('https://a.test/0'), true);
  assert.equal(platform.isOwnRequest('https://a.test/beacon'), false);
  assert.equal(platform.isOwnRequest('https://b.test/'), false);
});

test('browser: a beacon that is missing, refuses or throws is false', () => {
  const throwing = () => {
    throw new TypeError('planted');
  };
  for (const navigator of [undefined, {}, { sendBeacon: () => false }, { sendBeacon: throwing }]) {
    assert.equal(page({ navigator }).platform.beacon('https://a.test/', 'x'), false);
  }
  const own = { sendBeacon: (...args: unknown[]) => args.length === 2 };
  assert.equal(page({ navigator: own }).platform.beacon('https://a.test/', 'x'), true);
});

test('browser: exceptions in timers and listeners reach us, never the page', async () => {
  const { platform, scope, exceptions } = page();
  await new Promise<void>((resolve) => {
    platform.after(0, () => {
      resolve();
      throw new Error('timer');
    });
  });
  platform.onPage(() => assert.fail('page'));
  platform.onOnline(() => assert.fail('online'));
  scope.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: false }));
  scope.dispatchEvent(new Event('online'));
  assert.deepEqual(
    exceptions.map((error) => (error as Error).message),
    ['timer', 'page', 'online'],
  );
});

test('browser: listeners end when they are stopped', () => {
  const { platform, scope } = page();
  const heard: string[] = [];
  const stops = [
    platform.onPage((signal) => void heard.push(signal)),
    platform.onOnline(() => void heard.push('online')),
  ];
  for (const stop of stops) stop();
  scope.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: false }));
  scope.dispatchEvent(new Event('online'));
  assert.deepEqual(heard, []);
});

test('browser: a scheduler that rejects does not', async () => {
  const { platform } = page({ scheduler: { yield: () => Promise.reject(new Error('aborted')) } });
  assert.equal(await platform.yieldToMain(), undefined);
});

test('browser: where there is no document, as in Node, signals never come', () => {
  const scope = { fetch: async () => new Response('') } as unknown as typeof globalThis;
  const platform = createBrowserPlatform(() => {}, scope);
  platform.onPage(() => assert.fail())();
  platform.onOnline(() => assert.fail())();
  assert.equal(platform.beacon('https://a.test/', 'x'), false);
  assert.equal(platform.randomBytes(10).length, 10);
});

test('browser: an idle task has its deadline, runs once, and can be stopped', () => {
  const idle = new Map<number, { run: () => void; timeout: number }>();
  let handles = 0;
  const { platform, exceptions } = page({
    requestIdleCallback(run: () => void, { timeout }: { timeout: number }) {
      idle.set(++handles, { run, timeout });
      return handles;
    },
    cancelIdleCallback: (handle: number) => void idle.delete(handle),
  });
  platform.whenIdle(100, () => {
    throw new Error('idle');
  });
  assert.equal(idle.get(1)?.timeout, 100);
  idle.get(1)?.run();
  assert.deepEqual(exceptions.map(String), ['Error: idle']);
  const stop = platform.whenIdle(100, () => assert.fail());
  stop();
  stop();
  platform.whenIdle(100, () => assert.fail());
  platform.close();
  platform.whenIdle(100, () => assert.fail());
  assert.deepEqual([...idle.keys()], [1]);
});

test('browser: where idleness is not told, an idle task runs soon', async () => {
  const { platform } = page();
  await new Promise<void>((resolve) => void platform.whenIdle(600_000, resolve));
  platform.whenIdle(0, () => assert.fail('ran'))();
});

test('browser: a deferred request that is refused is none', () => {
  const refused = (): never => {
    throw new Error('QuotaExceededError');
  };
  for (const fetchLater of [undefined, refused]) {
    const { platform } = page({ fetchLater });
    assert.equal(platform.defer('https://a.test/', { method: 'PUT' }), undefined);
    assert.equal(platform.isOwnRequest('https://a.test/'), false);
  }
});

test('browser: where storage and locks are missing or forbidden, they are undefined or stood in for', () => {
  const { platform, scope } = page();
  assert.equal(platform.openStore(), undefined);
  Object.defineProperty(scope, 'indexedDB', {
    get() {
      throw new Error('SecurityError');
    },
  });
  assert.equal(platform.openStore(), undefined);
  assert.equal(platform.notes, undefined);
  const store = {
    write: async () => true,
    keys: async () => [],
    read: async () => [],
    letGo() {},
    close() {},
  };
  assert.match(platform.openTabs(store).name, /^[0-9a-f-]{36}$/);
  assert.notEqual(platform.openTabs(store).name, platform.openTabs(store).name);
});
