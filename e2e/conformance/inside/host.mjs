/** Runs in every runtime: plays cases, and serves what they serve. Knows the web's APIs and nothing of the runtime. */
import { instrument } from 'spandrel/edge';
import { CASES, slugOf } from '../cases/index.mjs';

/**
 * @typedef {import('../case.mjs').Env} Env
 * @typedef {import('../case.mjs').Served} Served
 */

/** @type {import('../case.mjs').World} Put in front of the bundle. */
const world = /** @type {any} */ (globalThis).WORLD;

/** What nobody should have said or left unhandled. @type {string[]} */
const troubles = [];
for (const level of /** @type {const} */ (['warn', 'error']))
  console[level] = (...words) => void troubles.push(words.map(String).join(' '));
const unhandled = (/** @type {unknown} */ reason) =>
  void troubles.push(`unhandled: ${reason instanceof Error ? reason.stack : reason}`);
globalThis.addEventListener?.('unhandledrejection', (event) => {
  event.preventDefault();
  unhandled(/** @type {PromiseRejectionEvent} */ (event).reason);
});
/** @type {any} */ (globalThis).process?.on?.('unhandledRejection', unhandled);

/** @param {string} slug */
function caseOf(slug) {
  const found = CASES.find(({ name }) => slugOf(name) === slug);
  if (!found) throw new Error(`no case ${slug}`);
  return found;
}

/** @type {Env['instrumented']} */
function instrumented(handler, options) {
  if (world.runtime.startsWith('workerd')) {
    const module = instrument(
      {
        fetch: (/** @type {Request} */ request, /** @type {any} */ _env, /** @type {any} */ ctx) =>
          handler(request, ctx),
      },
      () => options,
    );
    return {
      fetch: (request, bindings, context) => /** @type {any} */ (module.fetch(request, bindings, context)),
      bare: (request, _bindings, context) => handler(request, context),
    };
  }
  // Without a context there is no second argument, as in Deno's and Bun's own servers.
  const traced = instrument(
    (/** @type {Request} */ request, ...rest) => handler(request, rest[0] ?? {}),
    options,
  );
  return {
    fetch: (request, _bindings, context) =>
      /** @type {any} */ (context ? traced(request, context) : traced(request)),
    bare: (request, _bindings, context) => handler(request, context ?? {}),
  };
}

/** @type {Env['module']} */
const module = (handlers, options) => instrument(handlers, () => options);

/** @param {string} slug @param {any} bindings @returns {Env} */
const envOf = (slug, bindings) => ({ ...world, service: slug, r2: bindings?.TRACES, instrumented, module });

/** @type {Map<string, Served>} */
const served = new Map();

/** @param {string} slug @param {any} bindings @returns {Served} */
export function servedBy(slug, bindings) {
  const { serve } = caseOf(slug);
  if (!serve) throw new Error(`${slug} serves nothing`);
  const made = served.get(slug) ?? serve(envOf(slug, bindings));
  served.set(slug, made);
  return made;
}

/** The same of the first case that is so. @param {(one: import('../case.mjs').Case) => boolean} isWanted @param {any} bindings */
export const servedFor = (isWanted, bindings) => servedBy(slugOf(CASES.find(isWanted)?.name ?? ''), bindings);

/** Plays a case; its exception is told as such. @param {string} slug @param {any} [bindings] */
export async function play(slug, bindings) {
  try {
    return { answer: (await caseOf(slug).run?.(envOf(slug, bindings))) ?? null };
  } catch (error) {
    return { error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) };
  }
}

/** What was said and left unhandled since the last time. */
export const takeTroubles = () => troubles.splice(0);

/**
 * The server: `/play/{slug}`, `/troubles`, and below `/serve/{slug}/` and `/bare/{slug}/` what cases serve.
 *
 * @param {Request} request
 * @param {any} [bindings]
 * @param {any} [context]
 * @returns {Promise<Response>}
 */
export async function answer(request, bindings, context) {
  const [, what, slug = ''] = new URL(request.url).pathname.split('/');
  if (what === 'play') return Response.json(await play(slug, bindings));
  if (what === 'troubles') return Response.json(takeTroubles());
  const { fetch, bare = fetch } = servedBy(slug, bindings);
  return /** @type {any} */ (what === 'bare' ? bare : fetch)(request, bindings, context);
}
