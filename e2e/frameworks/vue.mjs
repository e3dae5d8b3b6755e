// Vue with Vue Router: guards, a lazy route, an error handler.
import { createApp, defineComponent, h, onErrorCaptured, onMounted, ref } from 'vue';
import { createRouter, createWebHistory, RouterLink, RouterView } from 'vue-router';
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

/** @param {string} title @param {() => unknown} [whenMounted] */
const page = (title, whenMounted = () => {}) =>
  defineComponent(() => {
    onMounted(() => void whenMounted());
    return () => h('h1', title);
  });

const Boundary = defineComponent(() => {
  const failed = ref(false);
  // What it does not stop goes on to the app's error handler.
  onErrorCaptured(() => {
    failed.value = true;
  });
  return () => (failed.value ? h('h1', 'Sorry') : h(defineComponent({ render: throwInRender })));
});

const Frame = defineComponent(
  () => () =>
    h('main', [
      ...Object.entries(LINKS).map(([id, to]) => h(RouterLink, { id, to }, () => id)),
      h('button', { id: 'throw', onClick: throwInHandler }, 'Throw'),
      h(RouterView),
    ]),
);

const router = createRouter({
  history: createWebHistory(BASE),
  routes: [
    { path: '/', component: page('Home', onHome) },
    {
      path: '/products/:id',
      component: page('Product', onProduct),
      beforeEnter: async () => {
        await loadProduct();
      },
    },
    { path: '/broken', component: Boundary },
    { path: '/late', component: () => import('./vue-late.mjs') },
  ],
});
router.onError(record);

const app = createApp(Frame);
app.config.errorHandler = record;
app.use(router).mount('#app');
