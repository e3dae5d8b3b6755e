// A plain single-page app: three routes, ten fetches each, and some drawing. Runs in a page; see page-bench.mjs.

const FETCHES_PER_ROUTE = 10;
const ROWS_PER_ANSWER = 30;

const main = document.querySelector('main');

/** @param {{ id: number, rows: string[] }} answer */
function draw({ id, rows }) {
  const section = document.createElement('section');
  section.append(Object.assign(document.createElement('h2'), { textContent: `Part ${id}` }));
  const list = document.createElement('ul');
  for (const text of rows.slice(0, ROWS_PER_ANSWER)) {
    const item = document.createElement('li');
    item.append(Object.assign(document.createElement('b'), { textContent: text }), ' ', text.toUpperCase());
    list.append(item);
  }
  section.append(list);
  main.append(section);
}

async function load(id) {
  const response = await fetch(`/items/${id}?page=${id}`);
  draw(await response.json());
}

async function show(route) {
  main.replaceChildren(Object.assign(document.createElement('h1'), { textContent: route }));
  // Half of them at once, the other half one after the other, as pages do.
  const ids = Array.from({ length: FETCHES_PER_ROUTE }, (_, index) => index);
  const half = FETCHES_PER_ROUTE / 2;
  await Promise.all(ids.slice(0, half).map(load));
  for (const id of ids.slice(half)) await load(id);
  console.log(`shown ${route}`);
}

document.querySelector('nav').addEventListener('click', (event) => {
  const link = /** @type {Element} */ (event.target).closest('a');
  if (!link) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  void show(link.pathname);
});
console.log('ready');
