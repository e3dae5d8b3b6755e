// React with React Router: loaders, a lazy route, error boundaries.
import { createElement as h, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { createBrowserRouter, Link, Outlet, RouterProvider } from 'react-router';
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

const Frame = () =>
  h(
    'main',
    null,
    ...Object.entries(LINKS).map(([id, to]) => h(Link, { key: id, id, to }, id)),
    h('button', { id: 'throw', type: 'button', onClick: throwInHandler }, 'Throw'),
    h(Outlet),
  );

function Home() {
  useEffect(() => void onHome(), []);
  return h('h1', null, 'Home');
}

function Product() {
  useEffect(() => void onProduct(), []);
  return h('h1', null, 'Product');
}

const router = createBrowserRouter(
  [
    {
      path: '/',
      Component: Frame,
      children: [
        { index: true, Component: Home },
        { path: 'products/:id', Component: Product, loader: loadProduct },
        { path: 'broken', Component: throwInRender, ErrorBoundary: () => h('h1', null, 'Sorry') },
        { path: 'late', lazy: () => import('./react-late.mjs') },
      ],
    },
  ],
  { basename: BASE },
);

createRoot(/** @type {Element} */ (document.querySelector('#app')), { onCaughtError: record }).render(
  h(RouterProvider, { router, onError: record }),
);
