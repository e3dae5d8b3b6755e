import { parseArgs } from 'node:util';

/**
 * @typedef {import('./scene.mjs').Case} Case
 * @typedef {import('./engines/engine.mjs').EngineName} EngineName
 *
 * @typedef {object} Plan What the command line asks for.
 * @property {{ one: Case, engine: EngineName }[]} pairs In the order of the table.
 * @property {number} repeat
 * @property {number} workers
 * @property {number} deadlineMillis
 * @property {string | undefined} json File to write.
 * @property {string | undefined} markdown Likewise.
 */

/** @type {readonly EngineName[]} */
const ENGINE_NAMES = ['chromium', 'firefox', 'webkit'];

/** With `--ci` the other engines play only these: what differs most from engine to engine. */
const CI_GROUPS = ['leaving', 'outages', 'tabs'];

/** @param {string} name @param {string} text */
function count(name, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new TypeError(`--${name} takes a whole number from 1`);
  return number;
}

/** @param {string | undefined} text */
const words = (text) =>
  text
    ?.split(',')
    .map((word) => word.trim())
    .filter(Boolean);

/**
 * @param {string[]} args
 * @param {Record<string, Case[]>} groups
 * @returns {Plan}
 * @throws {TypeError} that says which argument is wrong.
 */
export function planOf(args, groups) {
  const { values } = parseArgs({
    args,
    options: {
      engines: { type: 'string' },
      cases: { type: 'string' },
      repeat: { type: 'string' },
      workers: { type: 'string', default: '2' },
      deadline: { type: 'string', default: '45' },
      json: { type: 'string' },
      markdown: { type: 'string' },
      ci: { type: 'boolean', default: false },
    },
  });
  const engines = words(values.engines) ?? ENGINE_NAMES;
  const unknown = engines.find((name) => !ENGINE_NAMES.some((known) => known === name));
  if (unknown !== undefined)
    throw new TypeError(`--engines takes ${ENGINE_NAMES.join(', ')}, got ${unknown}`);
  const wanted = words(values.cases);
  const isWanted = (/** @type {string} */ group, /** @type {Case} */ { name }) =>
    wanted?.some((word) => word === group || name === word || name.startsWith(`${word}-`)) ?? true;

  const pairs = Object.entries(groups).flatMap(([group, cases]) =>
    cases
      .filter((one) => isWanted(group, one))
      .flatMap((one) =>
        ENGINE_NAMES.filter((engine) => engines.includes(engine))
          .filter((engine) => !values.ci || engine === 'chromium' || CI_GROUPS.includes(group))
          .map((engine) => ({ one, engine })),
      ),
  );
  if (!pairs.length) throw new TypeError(`--cases: no case or group is named so: ${values.cases}`);
  return {
    pairs,
    repeat: count('repeat', values.repeat ?? (values.ci ? '1' : '5')),
    workers: count('workers', values.workers),
    deadlineMillis: count('deadline', values.deadline) * 1_000,
    json: values.json,
    markdown: values.markdown,
  };
}
