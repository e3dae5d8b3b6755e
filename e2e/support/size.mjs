// `npm run size`: prints the sizes beside their budgets, and what the others weigh.
import { measurePeers } from '../bench/page-peers.mjs';
import { BUDGETS, measure } from './sizes.mjs';

const sizes = await measure();
console.table({
  ...Object.fromEntries(
    Object.entries(sizes).map(([name, size]) => [name, { ...size, 'budget (brotli)': BUDGETS[name] }]),
  ),
  ...(await measurePeers()),
});
