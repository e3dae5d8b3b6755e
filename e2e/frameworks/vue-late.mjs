import { defineComponent, h, onMounted } from 'vue';
import { onLate } from './scene.mjs';

export default defineComponent(() => {
  onMounted(() => void onLate());
  return () => h('h1', 'Late');
});
