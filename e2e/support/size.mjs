// `npm run size`: prints the sizes beside their budgets, and what the others weigh. `size.mjs next`: those of the core
// that grows beside today's.
import { measurePeers } from '../bench/page-peers.mjs';
import { BUDGETS, measure, measureNext, NEXT_BUDGETS } from './sizes.mjs';

const isNext = process.argv.includes('next');
const budgets = isNext ? NEXT_BUDGETS : BUDGETS;
const sizes = isNext ? await measureNext() : await measure();
console.table({
  ...Object.fromEntries(
    Object.entries(sizes).map(([name, size]) => [name, { ...size, 'budget (brotli)': budgets[name] }]),
  ),
  ...(isNext ? {} : await measurePeers()),
});
