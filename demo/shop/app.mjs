/** The shop: History API routing, with a root span for every route change and click. */
import { html, render, useEffect, useState } from '/vendor/preact.js';
import { fetchFailure, postToCart } from './api.mjs';
import { readCart, writeCart } from './cart.mjs';
import {
  AboutPage,
  CartPage,
  FailedPage,
  HomePage,
  LoadingPage,
  LostPage,
  ProductPage,
  SlowPage,
} from './pages.mjs';
import { matchRoute } from './routes.mjs';
import { StatsPanel, StatsStrip } from './stats-panel.mjs';
import { act, step } from './tracing.mjs';

const PAGES = {
  home: HomePage,
  product: ProductPage,
  cart: CartPage,
  slow: SlowPage,
  about: AboutPage,
  lost: LostPage,
  loading: LoadingPage,
  failed: FailedPage,
};

function App() {
  const [view, setView] = useState({ page: 'loading', title: '', data: {} });
  const [cart, setCart] = useState(readCart);
  const [notice, setNotice] = useState('');

  const show = async () => {
    const { pathname } = location;
    const route = matchRoute(pathname);
    // An answer that comes after the visitor has gone on is for nobody.
    const showIfHere = (next) => location.pathname === pathname && setView({ title: route.title, ...next });
    setNotice('');
    showIfHere({ page: 'loading', data: {} });
    document.title = `${route.title} · a Spandrel demo`;
    try {
      const data = await act(`route ${route.pattern}`, { 'app.route': route.pattern }, async (span) => {
        const loaded = await route.load();
        span?.addEvent('content ready');
        return loaded;
      });
      showIfHere({ page: route.name, data });
    } catch (error) {
      showIfHere({ page: 'failed', data: { message: error.message, retry: show } });
    }
  };
  const navigate = (href) => {
    history.pushState(null, '', href);
    scrollTo(0, 0);
    void show();
  };
  useEffect(() => {
    void show();
    addEventListener('popstate', show);
    return () => removeEventListener('popstate', show);
  }, []);

  const onLink = (event) => {
    const link = event.target.closest('a[href]');
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!plain || link === null || !isShopPath(link.getAttribute('href'))) return;
    event.preventDefault();
    navigate(link.getAttribute('href'));
  };
  const changeCart = (ids) => {
    setCart(ids);
    writeCart(ids);
  };
  const add = async (product) => {
    try {
      await act('click Add to cart', { 'product.id': product.id, 'product.price': product.price }, () =>
        step('reserve stock', {}, () => postToCart(product.id)),
      );
      changeCart([...cart, product.id]);
      setNotice(`${product.name} is in your cart.`);
    } catch (error) {
      setNotice(`That did not work: ${error.message}.`);
    }
  };
  const breakSomething = () =>
    act('click Break something', { 'app.on_purpose': true }, () =>
      step('charge the till', { 'till.amount': 42 }, fetchFailure),
    ).catch((error) => setNotice(`It broke, as asked: ${error.message}. Look for the red trace.`));

  const Page = PAGES[view.page];
  return html`<div class="shop" onClick=${onLink}>
    <header class="shop-top">
      <a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28" />Keystone</a>
      <nav aria-label="Shop">
        <a href="/">Things</a>
        <a href="/shop/slow">A slow page</a>
        <a href="/shop/about">How it works</a>
        <a href="/shop/cart">Cart${cart.length > 0 && html` <span class="badge ok">${cart.length}</span>`}</a>
      </nav>
    </header>
    <div class="shop-body">
      <main>
        <p class="notice" role="status">${notice}</p>
        <${Page}
          ...${view.data}
          title=${view.title}
          cart=${cart}
          onAdd=${add}
          onEmpty=${() => act('click Empty cart', { 'cart.size': cart.length }, () => changeCart([]))}
        />
      </main>
      <${StatsPanel} onBreak=${breakSomething} />
    </div>
    <${StatsStrip} />
  </div>`;
}

const isShopPath = (href) => href === '/' || href.startsWith('/shop/');

render(html`<${App} />`, document.getElementById('app'));
