import { createElement as h, useEffect } from 'react';
import { onLate } from './scene.mjs';

export function Component() {
  useEffect(() => void onLate(), []);
  return h('h1', null, 'Late');
}
