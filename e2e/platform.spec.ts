// What browsers do with our ways to keep things: the modules of src/platform, each engine's own storage and locks.
import type { Page } from '@playwright/test';
import type { Platform, Store, StoreChange, StoreKey, Tabs } from '../src/platform/platform.js';
import { expect, plainPage, type Site, test } from './support/fixtures.js';

declare global {
  var platform: Platform;
  var store: Store;
  var tabs: Tabs;
  /** What came to pass in the page. */
  var heard: unknown[];
  var persisted: boolean[];
}

// Playwright turns Chromium's bfcache off.
test.use({
  launchOptions: [
    async ({ launchOptions, browserName }, use) => {
      const kept = { ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] };
      await use(browserName === 'chromium' ? kept : launchOptions);
    },
    { scope: 'worker' },
  ],
});

const PLATFORM = `
  import { createBrowserPlatform } from '/esm/platform/browser.js';
  globalThis.platform = createBrowserPlatform((error) => console.error(String(error)));
  globalThis.heard = [];
  globalThis.persisted = [];
  addEventListener('pageshow', (event) => persisted.push(event.persisted));`;
const STORE = `${PLATFORM}
  globalThis.store = platform.openStore();`;
const TABS = `${STORE}
  globalThis.tabs = platform.openTabs(store);`;

const write = (page: Page, change: StoreChange): Promise<unknown> =>
  page.evaluate(
    (change) =>
      globalThis.store.write(change).then(
        (made) => made,
        (error) => error.name,
      ),
    change,
  );
const read = (page: Page, prefix: StoreKey = []): Promise<[StoreKey, unknown][]> =>
  page.evaluate((prefix) => globalThis.store.read(prefix), prefix);
const keys = (page: Page, prefix: StoreKey): Promise<StoreKey[]> =>
  page.evaluate((prefix) => globalThis.store.keys(prefix), prefix);

test('store: records are found, and deleted, below a prefix, in the order of their keys', async ({
  page,
  site,
}) => {
  await site.run(page, STORE);
  const puts: [StoreKey, unknown][] = [
    [['b', '2', 'x'], { deep: [1] }],
    [['a'], 1],
    [['b', '10'], 'ten'],
    [['b'], null],
    [['bb', '1'], 2],
    [['b', '2'], 3],
    [['b', '\uffff\uffff'], 4],
  ];
  expect(await write(page, { puts })).toBe(true);
  expect(await read(page, ['b'])).toEqual([
    [['b'], null],
    [['b', '10'], 'ten'],
    [['b', '2'], 3],
    [['b', '2', 'x'], { deep: [1] }],
    [['b', '\uffff\uffff'], 4],
  ]);
  expect(await keys(page, ['b', '2'])).toEqual([
    ['b', '2'],
    ['b', '2', 'x'],
  ]);
  expect(await keys(page, [])).toHaveLength(7);
  await write(page, { deletes: [['b', '2'], ['nothing']] });
  expect(await keys(page, ['b'])).toEqual([['b'], ['b', '10'], ['b', '\uffff\uffff']]);
  await write(page, { deletes: [[]] });
  expect(await keys(page, [])).toEqual([]);
});

test('store: bytes come back as bytes, also after a reload and in another tab', async ({
  page,
  context,
  site,
}) => {
  const url = await site.run(page, STORE);
  await page.evaluate(() =>
    globalThis.store.write({ puts: [[['a'], { bytes: Uint8Array.of(1, 2, 255), at: 5 }]] }),
  );
  const bytes = (page: Page): Promise<unknown> =>
    page.evaluate(async () => {
      const [record] = (await globalThis.store.read(['a'])) as [StoreKey, { bytes: Uint8Array }][];
      const bytes = record?.[1].bytes;
      return bytes instanceof Uint8Array && [...bytes];
    });
  await page.reload();
  await page.waitForFunction(() => globalThis.ready);
  expect(await bytes(page)).toEqual([1, 2, 255]);
  const other = await context.newPage();
  await other.goto(url);
  await other.waitForFunction(() => globalThis.ready);
  expect(await bytes(other)).toEqual([1, 2, 255]);
});

test('store: changes are made in the order of the calls, deletes before puts, and read after them', async ({
  page,
  site,
}) => {
  await site.run(page, STORE);
  const seen = await page.evaluate(async () => {
    const { store } = globalThis;
    const changes = Array.from({ length: 50 }, (_, count) =>
      store.write({ deletes: count % 7 ? [] : [['n']], puts: [[['n', `${count}`], count]] }),
    );
    const both = store.write({ deletes: [['both']], puts: [[['both'], 'put']] });
    const read = await store.read([]);
    await Promise.all([...changes, both]);
    return read;
  });
  expect(seen).toEqual([
    [['both'], 'put'],
    [['n', '49'], 49],
  ]);
});

test('store: a change is made wholly or not at all', async ({ page, site }) => {
  await site.run(page, STORE);
  await write(page, { puts: [[['old'], 1]] });
  const name = await page.evaluate(() =>
    globalThis.store
      .write({
        puts: [
          [['new'], 1],
          [['bad'], () => {}],
        ],
        deletes: [['old']],
      })
      .catch((error) => error.name),
  );
  expect(name).toBe('DataCloneError');
  expect(await read(page)).toEqual([[['old'], 1]]);
});

test('store: the page may delete the database under us; the next write makes it anew', async ({
  page,
  site,
}) => {
  await site.run(page, STORE);
  await write(page, { puts: [[['a'], 1]] });
  const deleted = page.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.deleteDatabase('spandrel-1');
        request.onsuccess = () => resolve('deleted');
        request.onblocked = () => resolve('blocked');
      }),
  );
  expect(await deleted).toBe('deleted');
  expect(await read(page)).toEqual([]);
  expect(await write(page, { puts: [[['b'], 2]] })).toBe(true);
  expect(await read(page)).toEqual([[['b'], 2]]);
});

test('store: another page may upgrade the database, and both go on', async ({ page, context, site }) => {
  await site.run(page, STORE);
  await write(page, { puts: [[['a'], 1]] });
  const other = await context.newPage();
  await other.goto(site.serve(plainPage()));
  const upgraded = await other.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.open('spandrel-1', 2);
        request.onsuccess = () => resolve('upgraded');
        request.onblocked = () => resolve('blocked');
      }),
  );
  expect(upgraded).toBe('upgraded');
  expect(await write(page, { puts: [[['b'], 2]] })).toBe(true);
  expect(await keys(page, [])).toEqual([['a'], ['b']]);
});

/** Shows the page's connections to `globalThis.connections`. */
const WATCH = `<script>
  globalThis.connections = new Set();
  const begin = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...args) {
    connections.add(this);
    return begin.apply(this, args);
  };
</script>`;

test('store: a connection that was closed without a word is opened again, once', async ({ page, site }) => {
  await site.run(page, STORE, { head: WATCH });
  await write(page, { puts: [[['a'], 1]] });
  const seen = await page.evaluate(async () => {
    const { connections } = globalThis as unknown as { connections: Set<IDBDatabase> };
    for (const db of connections) db.close();
    const writes = ['1', '2', '3'].map((key) =>
      globalThis.store.write({ deletes: [['b']], puts: [[['b', key], 1]] }),
    );
    await Promise.all(writes);
    return [connections.size, await globalThis.store.keys([])];
  });
  expect(seen).toEqual([2, [['a'], ['b', '3']]]);
});

test('store: after the site’s data was cleared, the next write makes the database anew', async ({
  page,
  context,
  site,
  browserName,
}) => {
  test.skip(browserName !== 'chromium', 'cannot be told to');
  await site.run(page, STORE);
  await write(page, { puts: [[['a'], 1]] });
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.clearDataForOrigin', { origin: site.host.origin, storageTypes: 'all' });
  expect(await write(page, { puts: [[['b'], 2]] })).toBe(true);
  expect(await read(page)).toEqual([[['b'], 2]]);
});

test('store: close lets the writes before it be made, and refuses those after it', async ({ page, site }) => {
  const url = await site.run(page, STORE, { head: WATCH });
  const seen = await page.evaluate(() => {
    const before = globalThis.store.write({ puts: [[['before'], 1]] });
    globalThis.store.close();
    const after = globalThis.store.write({ puts: [[['after'], 1]] }).catch((error) => error.name);
    return Promise.all([before, after]);
  });
  expect(seen).toEqual([true, 'InvalidStateError']);
  const closed = page.evaluate(() => {
    const { connections } = globalThis as unknown as { connections: Set<IDBDatabase> };
    return [...connections].map((db) => {
      try {
        return db.transaction('outbox');
      } catch (error) {
        return (error as Error).name;
      }
    });
  });
  expect(await closed).toEqual(['InvalidStateError']);
  await page.goto(url);
  await page.waitForFunction(() => globalThis.ready);
  expect(await keys(page, [])).toEqual([['before']]);
});

test('store: an open that never ends is given up after 5 s, and tried again at the next use', async ({
  page,
  site,
}) => {
  await page.clock.install({ time: 0 });
  const head = `<script>
    const { open } = IDBFactory.prototype;
    globalThis.requests = [];
    IDBFactory.prototype.open = () => {
      requests.push({});
      return requests[0];
    };
    globalThis.repair = () => { IDBFactory.prototype.open = open; };
  </script>`;
  await site.run(page, PLATFORM, { head });
  await page.clock.pauseAt(60_000);
  await page.evaluate(() => {
    globalThis.store = globalThis.platform.openStore() as Store;
    const hear = (error: Error): void => void globalThis.heard.push(error.message);
    globalThis.store.write({}).catch(hear);
    globalThis.store.keys([]).catch(hear);
  });
  await page.clock.runFor(4_900);
  expect(await page.evaluate(() => globalThis.heard)).toEqual([]);
  await page.clock.runFor(200);
  expect(await page.evaluate(() => globalThis.heard)).toEqual([
    'IndexedDB does not open',
    'IndexedDB does not open',
  ]);
  expect(await page.evaluate('requests.length')).toBe(1);

  await page.evaluate('repair()');
  expect(await write(page, { puts: [[['a'], 1]] })).toBe(true);
  // The first comes after all, and is closed again: it does not block.
  await page.evaluate(`new Promise((resolve) => {
    const request = indexedDB.open('spandrel-1');
    request.onsuccess = () => {
      requests[0].result = request.result;
      requests[0].onsuccess();
      resolve();
    };
  })`);
  const closed = page.evaluate(() => {
    const { requests } = globalThis as unknown as { requests: { result: IDBDatabase }[] };
    try {
      return Boolean(requests[0]?.result.transaction('outbox'));
    } catch (error) {
      return (error as Error).name;
    }
  });
  expect(await closed).toBe('InvalidStateError');
  expect(await read(page)).toEqual([[['a'], 1]]);
});

test('a sandboxed page has no storage and no locks, and is told so quietly', async ({ page, site }) => {
  // Modules for an opaque origin need CORS.
  await page.route(/\/(esm|vendor)\//, async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers(), 'access-control-allow-origin': '*' };
    await route.fulfill({ response, headers });
  });
  const url = await site.run(page, `${PLATFORM}`);
  const html = await (await page.request.get(url)).text();
  await page.goto(site.serve(html, { 'content-security-policy': 'sandbox allow-scripts' }));
  await page.waitForFunction(() => globalThis.ready);
  const seen = await page.evaluate(async () => {
    const { platform } = globalThis;
    const store = platform.openStore();
    const refusal = await store?.write({}).catch((error) => error.name);
    const working: Store = {
      write: async () => true,
      keys: async () => [],
      read: async () => [],
      close() {},
    };
    const tabs = platform.openTabs(working);
    // Refused: nobody can tell who lives, and tasks run.
    const before = await tabs.alone('lane', async () => {}).catch((error) => error.name);
    await tabs.hold();
    const after = await tabs.alone('lane', async () => {}).catch((error) => error.name);
    tabs.release();
    tabs.close();
    return { notes: platform.notes, refusal: refusal ?? 'SecurityError', before, after };
  });
  expect(seen).toEqual({
    notes: undefined,
    refusal: 'SecurityError',
    before: 'SecurityError',
    after: true,
  });
});

test('notes: are seen at once by other pages, and one that does not fit is refused', async ({
  page,
  context,
  site,
}) => {
  const url = await site.run(page, PLATFORM);
  const other = await context.newPage();
  await other.goto(url);
  await other.waitForFunction(() => globalThis.ready);
  const kept = await page.evaluate(() => {
    const { notes } = globalThis.platform;
    localStorage.setItem('foreign', 'x');
    const full = notes?.set('our large', 'x'.repeat(20_000_000));
    return [full, notes?.set('our 1', 'one'), notes?.set('our 2', 'two')];
  });
  expect(kept).toEqual([false, true, true]);
  const seen = (page: Page): Promise<unknown> =>
    page.evaluate(() => {
      const { notes } = globalThis.platform;
      return [notes?.names('our ').sort(), notes?.get('our 1'), notes?.get('our 3')];
    });
  await expect.poll(() => seen(other)).toEqual([['our 1', 'our 2'], 'one', undefined]);
  await other.evaluate(() => globalThis.platform.notes?.delete('our 1'));
  await expect.poll(() => seen(page)).toEqual([['our 2'], undefined, undefined]);
});

/** Opens two tabs of one page. */
async function twoTabs(first: Page, site: Site): Promise<{ second: Page; name: string; url: string }> {
  const url = await site.run(first, TABS);
  const second = await first.context().newPage();
  await second.goto(url);
  await second.waitForFunction(() => globalThis.ready);
  const name = await first.evaluate(async () => {
    await globalThis.tabs.hold();
    return globalThis.tabs.name;
  });
  return { second, name, url };
}

const isDead = (page: Page, name: string): Promise<boolean> =>
  page.evaluate(async (name) => (await globalThis.tabs.living?.())?.has(name) === false, name);

test('tabs: a page lives until it lets go, and again from its next hold', async ({ page, site }) => {
  const { second, name } = await twoTabs(page, site);
  expect(await isDead(second, name)).toBe(false);
  await page.evaluate(() => globalThis.tabs.release());
  await expect.poll(() => isDead(second, name)).toBe(true);
  await page.evaluate(() => globalThis.tabs.hold());
  expect(await isDead(second, name)).toBe(false);
  // Taken again in the task in which it was let go.
  await page.evaluate(() => {
    globalThis.tabs.release();
    return globalThis.tabs.hold();
  });
  expect(await isDead(second, name)).toBe(false);
  await page.evaluate(() => globalThis.tabs.close());
  await expect.poll(() => isDead(second, name)).toBe(true);
});

test('tabs: one page at a time works alone in a lane', async ({ page, site }) => {
  const { second } = await twoTabs(page, site);
  const alone = (page: Page, lane: string): Promise<boolean> =>
    page.evaluate((lane) => globalThis.tabs.alone(lane, async () => {}), lane);
  await page.evaluate(
    () =>
      new Promise<void>((begun) => {
        const task = () =>
          new Promise<void>((resolve) => {
            Object.assign(globalThis, { endTask: resolve });
            begun();
          });
        void globalThis.tabs.alone('lane', task).then((ran) => globalThis.heard.push(ran));
      }),
  );
  expect(await alone(second, 'lane')).toBe(false);
  expect(await alone(page, 'lane')).toBe(false);
  expect(await alone(second, 'other lane')).toBe(true);
  await page.evaluate('endTask()');
  await expect.poll(() => page.evaluate(() => globalThis.heard)).toEqual([true]);
  await expect.poll(() => alone(second, 'lane')).toBe(true);
});

test('tabs: a closed tab is dead, and so is one that went elsewhere', async ({ page, context, site }) => {
  const { second, name, url } = await twoTabs(page, site);
  await page.goto(site.serve(plainPage()));
  await expect.poll(() => isDead(second, name)).toBe(true);
  const third = await context.newPage();
  await third.goto(url);
  await third.waitForFunction(() => globalThis.ready);
  const thirdName = await third.evaluate(async () => {
    await globalThis.tabs.hold();
    return globalThis.tabs.name;
  });
  expect(await isDead(second, thirdName)).toBe(false);
  await third.close();
  await expect.poll(() => isDead(second, thirdName)).toBe(true);
});

test('tabs: a lock that is stolen, or let go before it came, is not held, and can be again', async ({
  page,
  site,
}) => {
  const { second, name } = await twoTabs(page, site);
  await second.evaluate(
    (name) => navigator.locks.request(`spandrel ${name}`, { steal: true }, async () => {}),
    name,
  );
  await expect.poll(() => isDead(second, name)).toBe(true);
  await page.evaluate(() => globalThis.tabs.hold());
  expect(await isDead(second, name)).toBe(false);

  await page.evaluate(() => globalThis.tabs.release());
  await second.evaluate((name) => {
    const held = new Promise((resolve) => Object.assign(globalThis, { letGo: resolve }));
    void navigator.locks.request(`spandrel ${name}`, () => held);
  }, name);
  // Resolves although it was not held.
  await page.evaluate(() => {
    const known = globalThis.tabs.hold();
    globalThis.tabs.release();
    return known;
  });
  await second.evaluate('letGo()');
  await expect.poll(() => isDead(second, name)).toBe(true);
});

test('tabs: one that is let go while it is being granted is not held', async ({ page, site }) => {
  const { second, name } = await twoTabs(page, site);
  for (let count = 0; count < 10; count++) {
    await page.evaluate(() => {
      globalThis.tabs.release();
      void globalThis.tabs.hold();
      globalThis.tabs.release();
      const known = globalThis.tabs.hold();
      globalThis.tabs.release();
      return known;
    });
    await expect.poll(() => isDead(second, name)).toBe(true);
  }
});

test('bfcache: a page with an open store comes back from it when it lets go as it unloads', async ({
  page,
  site,
}) => {
  site.host.page('/away', plainPage());
  await site.run(page, TABS);
  const name = await page.evaluate(async () => {
    const { platform, store, tabs } = globalThis;
    platform.onPage((signal) => {
      if (signal === 'cached' || signal === 'leaving') {
        void store.write({ puts: [[['left'], signal]] });
      } else if (signal === 'unloading') tabs.release();
      else if (signal === 'visible') void tabs.hold().then(() => globalThis.heard.push('held'));
    });
    await store.write({ puts: [[['a'], 1]] });
    await tabs.hold();
    return tabs.name;
  });
  // A page that does nothing else: another tab's asking does not evict it.
  const second = await page.context().newPage();
  await second.goto(site.serve(plainPage()));
  await page.evaluate(() => {
    setTimeout(() => {
      location.href = '/away';
    });
  });
  await page.waitForURL('**/away');
  const asked = (): Promise<boolean> =>
    second.evaluate(
      (name) =>
        navigator.locks.request(`spandrel ${name}`, { ifAvailable: true }, async (lock) => lock !== null),
      name,
    );
  await expect.poll(asked).toBe(true);
  // page.goBack() waits for a load that never comes.
  await page.evaluate(() => void setTimeout(() => history.back()));
  const persisted = (): Promise<boolean[]> => page.evaluate(() => globalThis.persisted ?? []).catch(() => []);
  await expect.poll(persisted).toEqual([false, true]);
  await expect.poll(() => page.evaluate(() => globalThis.heard)).toContain('held');
  expect(await asked()).toBe(false);
  expect(await read(page)).toEqual([
    [['a'], 1],
    [['left'], 'cached'],
  ]);
});

test('defer: is sent when the page has gone, not when it was taken back or the platform closed', async ({
  page,
  context,
  site,
  browserName,
}) => {
  const arrived: string[] = [];
  for (const path of ['/sent', '/taken-back', '/closed']) {
    site.host.route(path, (req, res) => {
      arrived.push(`${req.method} ${req.url}`);
      res.end();
    });
  }
  await page.goto(site.serve(plainPage()));
  const leaving = await context.newPage();
  await site.run(
    leaving,
    `${PLATFORM}
    import { createBrowserPlatform as another } from '/esm/platform/browser.js';
    globalThis.closing = another(() => {});`,
  );
  const seen = await leaving.evaluate(() => {
    const { platform } = globalThis;
    const { closing } = globalThis as unknown as { closing: Platform };
    const put = (body: string): RequestInit => ({ method: 'PUT', body });
    const cancels = ['/sent', '/taken-back'].map((path) => platform.defer(path, put('x')));
    const tooLarge = platform.defer('/sent', put('x'.repeat(70_000)));
    closing.defer('/closed', put('x'));
    closing.close();
    const tooLate = closing.defer('/closed', put('x'));
    const takenBack = cancels[1]?.();
    return [cancels[0] !== undefined, takenBack, tooLarge, tooLate, platform.isOwnRequest('/sent')];
  });
  const has = browserName === 'chromium';
  expect(seen).toEqual([has, has || undefined, undefined, undefined, has]);
  await leaving.close();
  if (has) await expect.poll(() => arrived).toEqual(['PUT /sent']);
  // What would have gone with it would have gone before this.
  await page.evaluate(() => fetch('/taken-back'));
  expect(arrived).toEqual([...(has ? ['PUT /sent'] : []), 'GET /taken-back']);
});

test('defer: cannot be taken back once the browser has sent it', async ({ page, site, browserName }) => {
  test.skip(browserName !== 'chromium', 'has no fetchLater');
  const arrived: string[] = [];
  site.host.route('/soon', (_req, res) => {
    arrived.push('PUT');
    res.end();
  });
  await site.run(page, PLATFORM);
  await page.evaluate(() => {
    const init = { method: 'PUT', activateAfter: 0 } as RequestInit;
    Object.assign(globalThis, { cancel: globalThis.platform.defer('/soon', init) });
  });
  await expect.poll(() => arrived).toEqual(['PUT']);
  expect(await page.evaluate('cancel()')).toBe(false);
});

test('idle: tasks run when the page is idle, and not when stopped or closed', async ({ page, site }) => {
  await site.run(page, PLATFORM);
  await page.evaluate(async () => {
    const { platform, heard } = globalThis;
    const stop = platform.whenIdle(50, () => heard.push('stopped'));
    stop();
    stop();
    await new Promise<void>((resolve) => void platform.whenIdle(10_000, resolve));
    heard.push('idle');
    platform.whenIdle(0, () => heard.push('closed'));
    platform.close();
    platform.whenIdle(0, () => heard.push('after close'));
    await new Promise((resolve) => requestIdleCallback(resolve));
  });
  expect(await page.evaluate(() => globalThis.heard)).toEqual(['idle']);
});
