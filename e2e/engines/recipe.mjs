import { readFile } from 'node:fs/promises';

const FOLDER = new URL('../../demo/recipes/', import.meta.url);

/**
 * A recipe as users find it, with some of its lines changed.
 *
 * @param {string} name A file of `demo/recipes/`.
 * @param {Record<string, string>} [changes] What a user would write there, by what stands there. Each has to be there.
 */
export async function readRecipe(name, changes = {}) {
  let text = await readFile(new URL(name, FOLDER), 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    if (!text.includes(from)) throw new Error(`${name} does not hold ${from}`);
    text = text.replaceAll(from, () => to);
  }
  return text;
}

/** The statements of a recipe in SQL, without comments. @param {string} sql */
export const statementsOf = (sql) =>
  sql
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter(Boolean);
