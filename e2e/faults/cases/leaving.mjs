/**
 * @typedef {import('../scene.mjs').Case} Case
 * @typedef {import('../scene.mjs').Scene} Scene
 */

/** How a page ends, in the very task that ended its last spans. @type {Record<string, { title: string, code: (scene: Scene) => string } & import('../engines/engine.mjs').OpenOptions>} */
const EXITS = {
  navigate: { title: 'goes to another page', code: ({ goAway }) => goAway },
  reload: { title: 'is reloaded', code: () => 'location.reload()' },
  'close-tab': { title: 'is closed with its tab', code: () => 'close()', closesItself: true },
  'close-window': {
    title: 'is closed with its window',
    code: () => 'close()',
    closesItself: true,
    isPopup: true,
  },
};

/** 5,000 spans, which is all that a page buffers. */
const BURST = { traces: 1_000, spans: 5 };
/** One trace whose blob is over the 64 KiB that may be under way as a page leaves: 1,500 × 60 random bytes. */
const LARGE = { traces: 1, spans: 1_500, options: { noiseBytes: 60 } };
const SLOW = { kind: /** @type {const} */ ('slow'), delayMillis: 80 };

/** The conditions under which each page ends. @type {Record<string, { title: string, about: Partial<Case>, before?: (scene: Scene) => void, after?: (scene: Scene) => void }>} */
const CONDITIONS = {
  '': { title: '', about: {} },
  '-uncached': {
    title: ', bfcache off and answers 80 ms late',
    about: { hasBfcache: false },
    before({ mock }) {
      mock.faults.set('bucket', SLOW);
      mock.faults.set('endpoint', SLOW);
    },
  },
  '-h2': { title: ', HTTP/2 over TLS', about: { isTls: true }, after: assertHttp2 },
};

/** A browser may settle for HTTP/1.1, and the case would then prove nothing. @param {Scene} scene */
function assertHttp2({ mock }) {
  const versions = new Set(
    mock.requests.list().flatMap(({ target, httpVersion }) => (target === 'store' ? [] : [httpVersion])),
  );
  if ([...versions].join() !== '2.0') throw new Error(`not HTTP/2 but ${[...versions].join(' and ')}`);
}

/**
 * @param {string} name
 * @param {string} title
 * @param {(typeof EXITS)[string]} exit
 * @param {(scene: Scene) => string} emit
 * @returns {Case[]} Under each condition.
 */
const leave = (name, title, { title: _, code, ...options }, emit) =>
  Object.entries(CONDITIONS).map(([suffix, { title: condition, about, before, after }]) => ({
    name: name + suffix,
    title: title + condition,
    ...about,
    async play(scene) {
      const tab = await scene.visitAndSettle(options);
      before?.(scene);
      await tab.leave(`${emit(scene)}; ${code(scene)}`);
      after?.(scene);
    },
  }));

const { navigate, 'close-tab': closeTab } = EXITS;

/** Pages that end. @type {Case[]} */
export const leaving = [
  ...Object.entries(EXITS).flatMap(([name, exit]) =>
    leave(`leave-${name}`, `a page ${exit.title}`, exit, (scene) => scene.emit('last words', 2)),
  ),
  ...leave('burst', '5,000 spans, and the tab is closed', /** @type {any} */ (closeTab), (scene) =>
    scene.emit('burst', BURST.traces, BURST.spans),
  ),
  ...leave('large', 'one trace over 64 KiB gzipped, and away', /** @type {any} */ (navigate), (scene) =>
    scene.emit('large', LARGE.traces, LARGE.spans, LARGE.options),
  ),
];
