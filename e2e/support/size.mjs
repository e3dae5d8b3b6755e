// `npm run size`: prints the sizes beside their budgets.
import { BUDGETS, measure } from './sizes.mjs';

const sizes = await measure();
console.table(
  Object.fromEntries(
    Object.entries(sizes).map(([name, size]) => [name, { ...size, 'budget (brotli)': BUDGETS[name] }]),
  ),
);
