import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPage } from '../testing/page-parts.js';
import { traceRoutes } from './routes.js';

/** A window with a History, and a Navigation API if it is to have one; the page's own functions are plain. */
class FakeHistory {
  readonly go: (href: string | undefined, type: string) => void;
  constructor(go: FakeHistory['go']) {
    this.go = go;
  }
  pushState(_state: unknown, _unused: string, href?: string): void {
    this.go(href, 'push');
  }
  replaceState(_state: unknown, _unused: string, href?: string): void {
    this.go(href, 'replace');
  }
}

function createPage({ hasNavigation = true } = {}) {
  const page = testPage();
  let url = new URL('https://shop.test/');
  const navigation = new EventTarget();
  const scope = Object.assign(new EventTarget(), {
    get location() {
      return { pathname: url.pathname, hash: url.hash, href: url.href };
    },
    history: new FakeHistory((href, navigationType) => {
      if (href === 'refused') throw new Error('refused');
      url = new URL(href ?? '', url);
      navigation.dispatchEvent(Object.assign(new Event('currententrychange'), { navigationType }));
    }),
    ...(hasNavigation && { navigation }),
  });
  // The location is one object in a browser, whose fields change.
  const location = {
    get pathname() {
      return url.pathname;
    },
    get hash() {
      return url.hash;
    },
    get href() {
      return url.href;
    },
  };
  Object.defineProperty(scope, 'location', { value: location });
  const methods = FakeHistory.prototype;
  const originals = [methods.pushState, methods.replaceState];
  const load = page.activities.begin({ kind: 'load', name: 'load /' });
  const stop = traceRoutes(page.deps, scope as never);
  return {
    ...page,
    ...{ load, stop, history: scope.history },
    isUnpatched: () => methods.pushState === originals[0] && methods.replaceState === originals[1],
    back(href: string): void {
      scope.history.go(href, 'traverse');
      scope.dispatchEvent(new Event('popstate'));
      scope.dispatchEvent(new Event('hashchange'));
    },
    show: (persisted: boolean): boolean =>
      scope.dispatchEvent(Object.assign(new Event('pageshow'), { persisted })),
    click: (start = {}) =>
      page.activities.begin({
        ...{ kind: 'interaction', name: 'click a', tentative: true, ...start },
        attributes: { 'spandrel.interaction.type': 'click', 'spandrel.interaction.target': 'a' },
      }),
    names: () => page.roots.map(({ name }) => name),
  };
}

for (const hasNavigation of [true, false]) {
  const by = hasNavigation ? 'the Navigation API' : 'History';
  const page = () => createPage({ hasNavigation });

  test(`routes by ${by}: a push begins a route, which follows the load`, () => {
    const { history, names, roots, activities, load, stop, isUnpatched } = page();
    history.pushState({}, '', '/product/7?ref=mail#top');
    assert.deepEqual(names(), ['load /', 'route /product/:id']);
    assert.equal(roots[1]?.attributes['url.template'], '/product/:id');
    assert.equal(activities.current?.kind, 'route');
    assert.deepEqual(roots[1]?.links[0]?.context, load.root.spanContext());
    stop();
    assert.ok(isUnpatched());
    history.pushState({}, '', '/later');
    assert.equal(names().length, 2);
  });

  test(`routes by ${by}: one path after another of the same name are two routes, each once`, async () => {
    const { history, names, back, roots } = page();
    history.pushState({}, '', '/product/7');
    history.pushState({}, '', '/product/8');
    back('/product/7');
    assert.deepEqual(names().slice(1), Array(3).fill('route /product/:id'));
    assert.deepEqual(roots[3]?.links[0]?.context, roots[2]?.spanContext());
  });

  test(`routes by ${by}: a query, a fragment, a state are none; a fragment that is a route is one`, () => {
    const { history, names } = page();
    for (const href of ['?page=2', '#top', undefined, '#/', '#/users/7', '#/users/7?tab=1'])
      history.pushState({}, '', href);
    assert.deepEqual(names(), ['load /', 'route /', 'route /users/:id']);
  });

  for (const kind of ['load', 'route', 'restore'] as const) {
    test(`routes by ${by}: an address replaced during a ${kind} names it anew`, async () => {
      const { history, names, roots, activities, platform } = page();
      if (kind !== 'load') activities.begin({ kind, name: kind });
      await platform.advance(900);
      history.replaceState({}, '', '/login');
      const root = roots.at(-1);
      assert.equal(names().at(-1), `${kind} /login`);
      assert.equal(root?.attributes['url.template'], '/login');
      assert.equal(root?.attributes['spandrel.activity.type'], kind);
      assert.deepEqual(
        root?.events.map(({ name, attributes }) => [name, attributes]),
        [['redirect', { 'url.template': '/' }]],
      );
      // What the redirect leads to belongs to it.
      await platform.advance(999);
      assert.equal(activities.current?.kind, kind);
    });
  }

  test(`routes by ${by}: an address replaced when all is quiet is a route`, async () => {
    const { history, names, platform } = page();
    await platform.advance(1_000);
    history.replaceState({}, '', '/later');
    assert.deepEqual(names(), ['load /', 'route /later']);
  });

  for (const method of ['pushState', 'replaceState'] as const) {
    test(`routes by ${by}: a click that leads to ${method} becomes the route`, async () => {
      const { history, click, names, roots, platform, load, activities } = page();
      const clicked = click({ startedAt: platform.monotonic() - 10 });
      await platform.advance(990);
      history[method]({}, '', '/cart');
      assert.deepEqual(names(), ['load /', 'route /cart']);
      assert.equal(activities.current, clicked);
      const [, root] = roots;
      assert.deepEqual(
        root?.events.map(({ name, attributes }) => [name, attributes]),
        [['click', { 'spandrel.interaction.type': 'click', 'spandrel.interaction.target': 'a' }]],
      );
      assert.deepEqual(root?.links[0]?.context, load.root.spanContext());
      assert.equal(root?.attributes['spandrel.activity.type'], 'route');
      // The next is linked to it, and is no part of it.
      history.pushState({}, '', '/pay');
      assert.deepEqual(roots[2]?.links[0]?.context, root?.spanContext());
    });
  }

  test(`routes by ${by}: a click whose work is still on becomes the route, however late`, async () => {
    const { history, click, names, platform, activities } = page();
    click();
    const release = activities.current?.hold();
    await platform.advance(5_000);
    history.pushState({}, '', '/cart');
    release?.();
    assert.deepEqual(names(), ['load /', 'route /cart']);
  });

  test(`routes by ${by}: a click that led to nothing, or is long over, has no part in a route`, async () => {
    const { history, click, names, platform, discarded } = page();
    click();
    await platform.advance(1_000);
    history.pushState({}, '', '/cart');
    assert.deepEqual(names(), ['load /', 'click a', 'route /cart']);
    assert.equal(discarded.length, 1);
  });

  test(`routes by ${by}: going back belongs to a click of just now, and to no other`, async () => {
    const { back, click, names, platform, activities } = page();
    click();
    back('/a');
    assert.deepEqual(names(), ['load /', 'route /a']);
    click();
    activities.current?.hold();
    await platform.advance(1_001);
    back('/b');
    assert.deepEqual(names(), ['load /', 'route /a', 'click a', 'route /b']);
  });

  test(`routes by ${by}: a page that is shown again begins anew; one that is shown first does not`, () => {
    const { history, show, names, roots, activities } = page();
    show(false);
    history.pushState({}, '', '/a/7');
    activities.page('cached');
    show(true);
    assert.deepEqual(names(), ['load /', 'route /a/:id', 'restore /a/:id']);
    assert.deepEqual(roots[2]?.links[0]?.context, roots[1]?.spanContext());
    assert.equal(activities.current?.kind, 'restore');
  });

  test(`routes by ${by}: what the page’s own call throws stays its own`, () => {
    const { history, names, exceptions } = page();
    assert.throws(() => history.pushState({}, '', 'refused'), /refused/);
    assert.equal(names().length, 1);
    assert.deepEqual(exceptions, []);
  });
}

test('routes: a name that changes with the query makes a route', () => {
  const page = createPage();
  page.stop();
  const routeName = (url: string): string => new URL(url).searchParams.get('tab') ?? 'none';
  const location = { pathname: '/', hash: '', href: 'https://shop.test/?tab=a' };
  const navigation = new EventTarget();
  const scope = Object.assign(new EventTarget(), { location, navigation });
  traceRoutes({ ...page.deps, routeName }, scope as never);
  const go = (href: string): void => {
    location.href = href;
    navigation.dispatchEvent(Object.assign(new Event('currententrychange'), { navigationType: 'push' }));
  };
  go('https://shop.test/?tab=a&page=2');
  go('https://shop.test/?tab=b&page=2');
  assert.deepEqual(page.names(), ['load /', 'route b']);
});
