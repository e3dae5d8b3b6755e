/**
 * What every engine can do for a case, whichever way it is driven.
 *
 * @typedef {object} Tab
 * @property {(code: string) => Promise<any>} run Runs code in one task of the page; resolves with what its promise or
 *   value is. Rejects when the page throws, or is gone.
 * @property {(code: string) => Promise<void>} leave Runs code that ends the page in the same task.
 * @property {(times: number) => Promise<void>} [slowDown] The processor, for this page. Absent where there is no such switch.
 *
 * @typedef {object} Browser
 * @property {(url: string, options?: OpenOptions) => Promise<Tab>} open In a renderer of its own. Resolves once it is loaded.
 * @property {() => Promise<void>} kill SIGKILL of every process.
 * @property {() => Promise<void>} crashRenderers SIGKILL of the processes that hold pages.
 * @property {() => Promise<void>} close
 * @property {(isOffline: boolean) => Promise<void>} [setOffline] Absent where there is no such switch.
 * @property {(origin: string) => Promise<void>} [fillStorage] The browser's own quota; absent likewise.
 * @property {(origin: string) => Promise<void>} [clearSiteData] The browser's own clearing; absent likewise.
 *
 * @typedef {object} OpenOptions
 * @property {boolean} [isPopup] In a window of its own.
 * @property {boolean} [closesItself] The page calls `close()`. See where it makes a difference.
 *
 * @typedef {object} LaunchOptions
 * @property {string} profile Folder; one that was used before brings back what was stored.
 * @property {string} homeUrl A page of another site than the page under test, which opens the tabs.
 * @property {import('../../../demo/mock-r2/listen.mjs').Tls | undefined} tls Of the site.
 * @property {boolean} hasBfcache
 *
 * @typedef {'chromium' | 'firefox' | 'webkit'} EngineName
 *
 * @typedef {object} Engine
 * @property {EngineName} name
 * @property {() => string | Promise<string>} version
 * @property {(options: LaunchOptions) => Promise<Browser>} launch
 * @property {() => Promise<void>} close Ends what its browsers shared.
 */

/** Features of `window.open`. @param {OpenOptions} options @param {boolean} [isAlone] Its opener is forgotten. */
export const windowFeatures = ({ isPopup = false }, isAlone = true) =>
  [...(isAlone ? ['noopener'] : []), ...(isPopup ? ['popup', 'width=600', 'height=400'] : [])].join();

/** A browser that does not answer within this time is broken, and a case waits no longer. */
export const ANSWER_MILLIS = 20_000;

/**
 * A driver's promise, which a crashed page may leave open for ever.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {number} [millis]
 * @returns {Promise<T>} Rejects after `millis`.
 */
export function answered(promise, millis = ANSWER_MILLIS) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the browser does not answer')), millis);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
