// History by hand.
import {
  BASE,
  LINKS,
  loadProduct,
  onHome,
  onProduct,
  record,
  throwInHandler,
  throwInRender,
} from './scene.mjs';

const app = /** @type {Element} */ (document.querySelector('#app'));
app.innerHTML = `<main>${Object.entries(LINKS).map(
  ([id, to]) => `<a id="${id}" href="${BASE}${to.replace(/\/$/, '')}">${id}</a>`,
)}<button id="throw" type="button">Throw</button><h1></h1></main>`;
const title = /** @type {Element} */ (app.querySelector('h1'));

/** @type {Record<string, () => unknown>} */
const PAGES = {
  '': () => void onHome(),
  '/products/7': () => void onProduct(),
  '/broken': throwInRender,
  '/late': () => void import('./plain-late.mjs').then(({ show }) => show()),
};

async function show() {
  const path = location.pathname.slice(BASE.length);
  if (path.startsWith('/products/')) await loadProduct();
  title.textContent = path;
  try {
    PAGES[path]?.();
  } catch (error) {
    title.textContent = 'Sorry';
    record(error);
  }
}

app.addEventListener('click', (event) => {
  const link = /** @type {Element} */ (event.target).closest('a');
  if (!link) return;
  event.preventDefault();
  history.pushState({}, '', link.href);
  void show();
});
app.querySelector('#throw')?.addEventListener('click', throwInHandler);
addEventListener('popstate', () => void show());
void show();
