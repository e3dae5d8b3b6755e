import { setTimeout as delay } from 'node:timers/promises';
import { compareDelivery, createReader } from './delivery.mjs';

/**
 * @typedef {import('./engines/engine.mjs').Tab} Tab
 *
 * @typedef {object} Case
 * @property {string} name Kebab case, for `--cases` and the table.
 * @property {string} title What happens, in a few words.
 * @property {(scene: Scene) => Promise<void>} play Ends with the trouble over, and the page as the user left it.
 * @property {boolean} [isTls] HTTPS, HTTP/2.
 * @property {boolean} [hasBfcache] Default true.
 * @property {import('./site.mjs').PageParts} [page]
 * @property {boolean} [neverReturns] Nobody visits the site again.
 * @property {Partial<Record<import('./engines/engine.mjs').EngineName, string>>} [notes] What an engine does otherwise.
 * @property {string} [skip] Why the case cannot be played.
 */

/** How often the bucket is looked at. */
const POLL_MILLIS = 150;
/** What can arrive without another visit has done so by then. */
const PATIENCE_MILLIS = 3_000;
/** A user who comes back, and a network that does. */
const NUDGE_MILLIS = 5_000;
const VISIT_MILLIS = 15_000;
/** No request for that long: whatever would come twice has come. */
const QUIET_MILLIS = 1_000;
const QUIET_WAIT_MILLIS = 6_000;

const ONLINE = "dispatchEvent(new Event('online'))";

/**
 * What a case is played with: a site, a browser on a profile of its own, and a list of what was emitted.
 *
 * @typedef {ReturnType<typeof createScene>} Scene
 *
 * @param {object} parts
 * @param {import('./site.mjs').Site} parts.site
 * @param {import('./engines/engine.mjs').Engine} parts.engine
 * @param {() => Promise<import('./engines/engine.mjs').Browser>} parts.launch
 * @param {import('./engines/engine.mjs').Browser} parts.browser
 */
export function createScene({ site, engine, launch, browser }) {
  const { mock } = site;
  /** @type {Set<string>} */
  const emitted = new Set();
  /** @type {Tab[]} */
  const tabs = [];
  const readObjects = createReader(mock.bucket);
  const delivery = async () => compareDelivery(emitted, await readObjects());

  /** @type {string[] | undefined} */
  let missingAtOnce;

  const scene = {
    engine: engine.name,
    mock,
    site,
    browser,
    /** How one goes to the page without Spandrel. */
    goAway: `location.href = '/away' + location.search`,
    delivery,
    emitted,

    /**
     * Code that makes traces in the page, all in one task; they count as emitted from now on.
     *
     * @param {string} name Of its own within the case.
     * @param {number} [traces]
     * @param {number} [spans] In each trace.
     * @param {{ copy?: number, noiseBytes?: number }} [options] Which SDK of the page; attributes that do not compress.
     */
    emit(name, traces = 1, spans = 3, options = {}) {
      for (let trace = 1; trace <= traces; trace++) {
        emitted.add(`${name} ${trace}`);
        for (let span = 2; span <= spans; span++) emitted.add(`${name} ${trace}.${span}`);
      }
      return `emit(${JSON.stringify(name)}, ${traces}, ${spans}, ${JSON.stringify(options)})`;
    },

    /** Opens the page under test. @param {import('./engines/engine.mjs').OpenOptions} [options] */
    async visit(options) {
      const tab = await scene.browser.open(site.shopUrl, options);
      tabs.push(tab);
      return tab;
    },

    /** A page that has been used for a while: what it made is stored. @param {import('./engines/engine.mjs').OpenOptions} [options] */
    async visitAndSettle(options) {
      const tab = await scene.visit(options);
      await tab.run(`${scene.emit(`early ${emitted.size}`)}; copies[0].flush()`);
      await scene.untilDelivered();
      return tab;
    },

    /** Neither the bucket nor the endpoint can be reached. */
    blackout() {
      for (const target of /** @type {const} */ (['bucket', 'store', 'endpoint']))
        mock.faults.set(target, { kind: 'down' });
    },

    /**
     * @param {boolean} isOffline
     * @param {Tab} [tab] Told, where the browser has no switch.
     */
    async setOffline(isOffline, tab) {
      // A driver's switch lets out what a page sends as it closes.
      if (isOffline) scene.blackout();
      else mock.faults.clear();
      if (scene.browser.setOffline) return scene.browser.setOffline(isOffline);
      await tab?.run(
        `Object.defineProperty(navigator, 'onLine', { value: ${!isOffline}, configurable: true });
        dispatchEvent(new Event('${isOffline ? 'offline' : 'online'}'))`,
      );
    },

    async kill() {
      await scene.browser.kill();
      tabs.length = 0;
    },
    /** On the same profile. */
    async restart() {
      scene.browser = await launch();
    },

    /** @param {() => Promise<boolean>} condition @param {number} [millis] */
    async until(condition, millis = 15_000) {
      const deadline = Date.now() + millis;
      while (!(await condition())) {
        if (Date.now() > deadline) throw new Error('the case does not get on');
        await delay(POLL_MILLIS);
      }
    },
    untilDelivered: () => scene.until(async () => (await delivery()).missing.length === 0),
    /** Waits for what a tab is, as far as it answers. @param {Tab} tab @param {string} condition */
    untilTab: (tab, condition) => scene.until(() => tab.run(condition).catch(() => false)),

    /** Goes on as users do until all is there: comes back, now and then; goes online. @param {number} deadlineMillis */
    async recover(deadlineMillis) {
      const deadline = Date.now() + deadlineMillis;
      const isComplete = async () => (await delivery()).missing.length === 0;
      const poll = (/** @type {number} */ millis) =>
        scene.until(isComplete, Math.min(millis, deadline - Date.now())).catch(() => {});
      await poll(PATIENCE_MILLIS);
      missingAtOnce = (await delivery()).missing;
      let visitAtMillis = 0;
      do {
        if (Date.now() >= visitAtMillis) {
          await scene.visit();
          visitAtMillis = Date.now() + VISIT_MILLIS;
        }
        for (const tab of tabs) tab.run(ONLINE).catch(() => {});
        await poll(NUDGE_MILLIS);
      } while (!(await isComplete()) && Date.now() < deadline);
    },

    /** What had not arrived by itself, before another visit; undefined until then. */
    missingAtOnce: () => missingAtOnce,

    /** Waits until no request has come for a while. */
    async quiet() {
      const deadline = Date.now() + QUIET_WAIT_MILLIS;
      let quietSinceMillis = Date.now();
      let count = -1;
      while (Date.now() < Math.min(quietSinceMillis + QUIET_MILLIS, deadline)) {
        const requests = mock.requests.list();
        if (requests.length !== count || requests.some(({ done }) => !done)) quietSinceMillis = Date.now();
        count = requests.length;
        await delay(POLL_MILLIS / 3);
      }
    },
  };
  return scene;
}
