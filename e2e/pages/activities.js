// A page whose buttons do things, by hand and by History.
const wait = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const get = async (what) => (await fetch(`/icon.svg?${what}`)).text();

const ACTS = {
  nothing() {},
  async fetch() {
    await get('one');
    await wait(50);
    await get('two');
  },
  async push() {
    history.pushState({}, '', '/product/1');
    await get('pushed');
  },
  async 'load-then-push'() {
    await get('loader');
    history.pushState({}, '', '/product/2');
    await wait(0);
    await get('effect');
  },
  async redirect() {
    history.pushState({}, '', '/account/7');
    await wait(50);
    history.replaceState({}, '', '/login');
    await get('redirected');
  },
  query() {
    history.pushState({}, '', '?page=2');
  },
  anchor() {
    history.pushState({}, '', '#somewhere');
  },
  async hash() {
    location.hash = '#/users/7';
    await wait(50);
    await get('hash');
  },
};

const root = document.querySelector('#shadow').attachShadow({ mode: 'open' });
root.innerHTML =
  '<button class="x1 y"><svg width="20" height="20"><rect width="20" height="20"/></svg></button>';
root.querySelector('button').onclick = () => get('shadow');
for (const [name, act] of Object.entries(ACTS)) {
  const button = document.body.appendChild(document.createElement('button'));
  button.id = name;
  button.textContent = 'Secret text';
  button.onclick = act;
}
/** @type {HTMLElement} */ (document.querySelector('#search')).onkeydown = ({ key }) =>
  key === 'Enter' && get('search');
document.querySelector('form').onsubmit = (event) => {
  event.preventDefault();
  return get('form');
};
document.querySelector('select').onchange = () => get('select');
/** @type {HTMLElement} */ (document.querySelector('[data-spandrel]')).onclick = () => get('named');
