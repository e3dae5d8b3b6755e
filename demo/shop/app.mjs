/** The shop: History API routing. What is traced of it, the script tag sees by itself. */
import { html, render, useEffect, useState } from '/vendor/preact.js';
import { fetchFailure, postToCart } from './api.mjs';
import { readCart, writeCart } from './cart.mjs';
import { checkOut } from './check-out.mjs';
import { applyConsent, Consent, useConsent } from './consent.mjs';
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
import { report, step } from './tracing.mjs';
import { applyVisitor, delivery, Visitor } from './visitor.mjs';

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
  const [consent, setConsent] = useConsent();

  const show = async () => {
    const { pathname } = location;
    const route = matchRoute(pathname);
    // An answer that comes after the visitor has gone on is for nobody.
    const showIfHere = (next) => location.pathname === pathname && setView({ title: route.title, ...next });
    setNotice('');
    showIfHere({ page: 'loading', data: {} });
    document.title = `${route.title} · a Spandrel demo`;
    try {
      showIfHere({ page: route.name, data: await route.load() });
    } catch (error) {
      report(error);
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
    if (link?.target) return;
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
      await step('reserve stock', { 'product.id': product.id }, () => postToCart(product.id));
      changeCart([...cart, product.id]);
      setNotice(`${product.name} is in your cart.`);
    } catch (error) {
      report(error);
      setNotice(`That did not work: ${error.message}.`);
    }
  };
  // Nobody catches what this throws, as happens: the browser tells the SDK.
  const redeem = async () => {
    setNotice('Looking the voucher up…');
    const { discount } = await fetchFailure();
    setNotice(`${discount} off.`);
  };

  const Page = PAGES[view.page];
  return html`<div class="shop" onClick=${onLink}>
    <header class="shop-top">
      <a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28" />Keystone</a>
      <nav aria-label="Shop">
        <a href="/" data-spandrel="Things" aria-current=${current('/')}>Things</a>
        <a href="/shop/slow" data-spandrel="A slow page" aria-current=${current('/shop/slow')}>A slow page</a>
        <a href="/shop/about" data-spandrel="How it works" aria-current=${current('/shop/about')}>How it works</a>
        <a href="/shop/cart" data-spandrel="Cart" aria-current=${current('/shop/cart')}>Cart${cart.length > 0 && html` <span class="badge ok">${cart.length}</span>`}</a>
      </nav>
      <${Visitor} />
    </header>
    <div class="shop-body">
      <main>
        <p class="notice" role="status">${notice}</p>
        <${Page}
          ...${view.data}
          title=${view.title}
          cart=${cart}
          delivery=${delivery()}
          onAdd=${add}
          onEmpty=${() => changeCart([])}
          onCheckOut=${() => checkOut({ items: cart })}
          onRedeem=${redeem}
        />
      </main>
      <${StatsPanel} consent=${consent} />
    </div>
    <${StatsStrip} />
    <${Consent} consent=${consent} onConsent=${setConsent} />
  </div>`;
}

const current = (path) => (location.pathname === path ? 'page' : null);

const isShopPath = (href) => href === '/' || href.startsWith('/shop/');

applyConsent();
applyVisitor();
render(html`<${App} />`, document.getElementById('app'));
