/** A program as a bundler and a minifier make it, with its map, and the stack of the error that it throws. */
import vm from 'node:vm';
import terser from '@rollup/plugin-terser';
import { rollup } from 'rollup';

/** Two files of the shop, and one of a package. */
export const SOURCES: Record<string, string> = {
  '/shop/src/app.js': `import { checkOut } from './check-out.js';
import { each } from '../node_modules/each/index.js';

export function submitOrder(order) {
  const lines = each(order.items, (item) => item.name);
  return checkOut({ ...order, lines });
}

globalThis.submitOrder = submitOrder;
`,
  '/shop/src/check-out.js': `/** Trusts that there is an address. */
export function checkOut(order) {
  const { items, address } = order;
  const many = items.length > 1 ? 'things' : 'thing';

  return \`\${items.length} \${many} to \${address.street}\`;
}
`,
  '/shop/node_modules/each/index.js': `export function each(list, callback) {
  const results = [];
  for (const item of list) results.push(callback(item));
  return results;
}
`,
};

/** Where a text stands in a source: line and column from 1. */
export function placeOf(file: string, text: string): { line: number; column: number } {
  const before = (SOURCES[file] ?? '').split(text, 1)[0]?.split('\n') ?? [];
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

export interface Minified {
  code: string;
  /** JSON of version 3, with the sources. */
  map: string;
}

export async function buildMinified(): Promise<Minified> {
  const minify = terser as unknown as typeof terser.default;
  const built = await rollup({
    input: '/shop/src/app.js',
    plugins: [
      {
        name: 'sources',
        resolveId: (id, importer) => (importer ? new URL(id, `file://${importer}`).pathname : id),
        load: (id) => SOURCES[id] ?? null,
      },
      minify({ compress: { inline: false, reduce_funcs: false }, mangle: { toplevel: true } }),
    ],
  });
  const { output } = await built.generate({
    file: '/shop/dist/assets/app.js',
    format: 'iife',
    sourcemap: true,
  });
  await built.close();
  const [{ code, map }] = output;
  return { code, map: String(map) };
}

/** What V8 says of the error that the built program throws when it was loaded from `url`. */
export function stackOf(code: string, url: string, order: object = { items: [{ name: 'arch' }] }): string {
  const world = vm.createContext({});
  new vm.Script(code, { filename: url }).runInContext(world);
  try {
    (world as { submitOrder(order: object): void }).submitOrder(order);
  } catch (error) {
    return String((error as Error).stack);
  }
  throw new Error('the program did not fail');
}
