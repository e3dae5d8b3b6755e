/** What each route shows. */
import { html, useState } from '/vendor/preact.js';
import { Picture } from './picture.mjs';

const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' });

export function HomePage({ products }) {
  return html`<section class="hero">
      <h1>Small things that hold</h1>
      <p>
        A shop that sells nothing, so that you can watch its traces. Open a thing, add it to the cart, check out: each
        page and each click that leads to something is a trace, on its way to a bucket.
      </p>
    </section>
    <${Shelf} products=${products} shown=${products} />`;
}

export function ProductPage({ product, products, delivery, onAdd }) {
  return html`<article class="product">
      <${Picture} id=${product.id} products=${products} />
      <div>
        <h1>${product.name}</h1>
        <p class="price">${money.format(product.price)}</p>
        <p>${product.blurb}</p>
        <p class="quiet">${delivery === 'free' ? 'We bring it for nothing.' : 'Delivery is 4 €.'}</p>
        <p class="product-actions">
          <button class="primary" data-spandrel="Add to cart" onClick=${() => onAdd(product)}>Add to cart</button>
          <button data-spandrel="Remember">Remember it</button>
        </p>
        <p>
          <a href=${beside(product, products)} target="_blank" data-spandrel="Another in a new tab">Open another beside it, in a new tab</a>
        </p>
      </div>
    </article>
    <h2>Stands well beside</h2>
    <${Shelf}
      products=${products}
      shown=${products.filter(({ id }) => id !== product.id).slice(0, 4)}
    />`;
}

export function CartPage({ products, cart, onEmpty, onCheckOut, onRedeem }) {
  if (cart.length === 0) {
    return html`<section class="hero">
      <h1>Your cart is empty</h1>
      <p><a href="/">Look at the things</a> and put one here.</p>
    </section>`;
  }
  const lines = products
    .map((product) => ({ product, count: cart.filter((id) => id === product.id).length }))
    .filter(({ count }) => count > 0);
  const total = lines.reduce((sum, { product, count }) => sum + product.price * count, 0);
  return html`<h1>Your cart</h1>
    <table class="cart">
      <tbody>
        ${lines.map(
          ({ product, count }) =>
            html`<tr key=${product.id}>
              <th scope="row"><a href=${addressOf(product)}>${product.name}</a></th>
              <td>${count} ×</td>
              <td>${money.format(product.price * count)}</td>
            </tr>`,
        )}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Together</th>
          <td></td>
          <td>${money.format(total)}</td>
        </tr>
      </tfoot>
    </table>
    <p class="cart-actions">
      <button class="primary" data-spandrel="Check out" onClick=${onCheckOut}>Check out</button>
      <button data-spandrel="Empty the cart" onClick=${onEmpty}>Empty the cart</button>
    </p>
    <form class="voucher" data-spandrel="Redeem" onSubmit=${(event) => redeemed(event, onRedeem)}>
      <label>Voucher <input type="search" autocomplete="off" placeholder="ARCH-10" /></label>
      <button data-spandrel="Redeem">Redeem</button>
    </form>
    <p class="quiet">
      Neither works: checking out throws, and the voucher's promise rejects. Nobody here catches it, and${' '}
      <a href="/viewer/">the viewer</a> shows both.
    </p>`;
}

function redeemed(event, onRedeem) {
  event.preventDefault();
  return onRedeem();
}

const addressOf = ({ id }) => `/shop/product/${encodeURIComponent(id)}`;

function beside(product, products) {
  const index = products.findIndex(({ id }) => id === product.id);
  return addressOf(products[(index + 1) % products.length]);
}

export function SlowPage() {
  const [count, setCount] = useState(0);
  return html`<section class="hero">
    <h1>The cathedral is finished</h1>
    <p>
      It took its time, and so did this page. In the viewer, the long bar is the building; the fetch below it ended when
      the first stone had come.
    </p>
    <p>
      <button data-spandrel="Count the stones" onClick=${() => setCount(countStones())}>Count the stones</button>
    </p>
    <p role="status">${count > 0 ? `${count} stones. Did you feel it? The page stood still.` : ''}</p>
    <p><a href="/viewer/">See the waterfall</a></p>
  </section>`;
}

/** Longer than a click should take, which makes a poor INP and a long frame. */
const COUNTING_MILLIS = 600;

function countStones() {
  const until = performance.now() + COUNTING_MILLIS;
  let count = 0;
  while (performance.now() < until) count++;
  return Math.min(count, 12_000);
}

export function AboutPage() {
  return html`<section class="prose">
    <h1>How it works</h1>
    <p>
      One script tag is in this page. From it come traces of what happens: each page load, each route, each click that
      leads to something, with the fetches, web vitals and errors that belong to it. Spandrel gathers a trace, encodes
      it as OTLP, compresses it, and puts it straight into an object-storage bucket by a presigned URL. No collector
      runs in between. The page, its API and the URLs come from a Worker, which traces itself into the same bucket.
    </p>
    <ol>
      <li><b>Agree, and click around.</b> Until you agree, nothing of the page is sent or written down.</li>
      <li><b>Watch the ledger.</b> Every span that ended is in the bucket, or waiting, or counted as lost.</li>
      <li>
        <b>Add to cart.</b> One trace goes from the click to the Worker, on to the warehouse that it asks, and back.
      </li>
      <li><b>Check out.</b> It throws. Redeem a voucher: its promise rejects. Both errors are on their traces.</li>
      <li>
        <b>Count the stones</b> on <a href="/shop/slow">the slow page</a>. The page stands still: a poor INP, and a
        long frame.
      </li>
      <li>
        <b>Sign in as somebody.</b> Every span that ends from then on says who it was, and each trace under which variant
        of the flag <code>delivery</code> it ran.
      </li>
      <li><b>Remember a thing.</b> That button does nothing: a dead click. Click it in anger: a rage click.</li>
      <li><b>Open a thing in a second tab.</b> Both tabs are one session.</li>
      <li><b>Cut the bucket and the endpoint.</b> Go on clicking: spans wait. Bring them back: they go out, each once.</li>
      <li>
        <b>Cut both, and reload.</b> Or close the tab. What waited is written down in your browser; the next page takes
        it over, says so in its ledger, and sends it once it can.
      </li>
      <li><b><a href="/viewer/">Open the viewer</a>.</b> It reads the bucket and nothing else.</li>
    </ol>
    <p>
      <a href="/own/">Another page</a> has no script tag: its app brings its own OpenTelemetry, and Spandrel exports.
    </p>
  </section>`;
}

export function LostPage() {
  return html`<section class="hero">
    <h1>No such page</h1>
    <p><a href="/">Back to the things</a></p>
  </section>`;
}

export function FailedPage({ message, retry }) {
  return html`<section class="hero">
    <h1>That did not load</h1>
    <p>${message}. The trace of this failure is on its way to the bucket.</p>
    <p><button onClick=${retry}>Try again</button></p>
  </section>`;
}

export function LoadingPage({ title }) {
  return html`<p class="loading" aria-busy="true">Loading ${title}…</p>`;
}

function Shelf({ products, shown }) {
  return html`<ul class="shelf">
    ${shown.map(
      ({ id, name, price, blurb }) =>
        html`<li key=${id}>
          <a class="card" href=${addressOf({ id })}>
            <${Picture} id=${id} products=${products} />
            <b>${name}</b>
            <span class="quiet">${blurb}</span>
            <span class="price">${money.format(price)}</span>
          </a>
        </li>`,
    )}
  </ul>`;
}
