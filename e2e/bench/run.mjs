// Runs every *-bench.mjs beside it, or those whose names are given, and prints their tables.
import { readdirSync } from 'node:fs';

const here = new URL('./', import.meta.url);
const wanted = process.argv.slice(2);
const names = readdirSync(here)
  .filter((name) => name.endsWith('-bench.mjs'))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name === `${word}-bench.mjs`))
  .sort();

for (const name of names) {
  const { bench } = await import(new URL(name, here).href);
  for (const [title, rows] of Object.entries(await bench())) {
    console.log(`\n${title}`);
    console.table(rows.map(rounded));
  }
}

function rounded(row) {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [
      key,
      typeof value === 'number' ? Number(value.toFixed(3)) : value,
    ]),
  );
}
