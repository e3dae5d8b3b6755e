import { ANSWER_MILLIS, answered, windowFeatures } from './engine.mjs';
import { browserProcesses, killProcesses } from './processes.mjs';

/** @param {import('@playwright/test').Page} page @returns {import('./engine.mjs').Tab} */
const tabOf = (page) => ({
  run: (code) => answered(page.evaluate(code)),
  // The page may be gone before it can answer.
  leave: (code) =>
    answered(page.evaluate(code)).then(
      () => {},
      () => {},
    ),
});

/** A page that opens at all does so within this time. */
const OPEN_MILLIS = 5_000;

/**
 * A browser that Playwright drives, on a profile that outlives it.
 *
 * @param {object} options
 * @param {import('@playwright/test').BrowserContext} options.context
 * @param {import('./engine.mjs').LaunchOptions} options.launch
 * @param {(command: string) => boolean} options.isRenderer Tells by the command line.
 * @param {(options: import('./engine.mjs').OpenOptions) => boolean} [options.sharesRenderer] Whether a tab is of its opener's
 *   process. Default never.
 * @param {(page: import('@playwright/test').Page) => Partial<import('./engine.mjs').Tab>} [options.extend] What else its tabs can do.
 * @returns {Promise<import('./engine.mjs').Browser & { home(): import('@playwright/test').Page }>}
 */
export async function createPlaywrightBrowser({
  context,
  launch: { homeUrl, profile },
  isRenderer,
  sharesRenderer = () => false,
  extend = () => ({}),
}) {
  context.setDefaultTimeout(ANSWER_MILLIS);
  /** @param {import('@playwright/test').Page} page */
  const asHome = async (page) => {
    await page.goto(homeUrl);
    return page;
  };
  let home = await asHome(context.pages()[0] ?? (await context.newPage()));
  /** @type {import('@playwright/test').Page | undefined} */
  let lobby;
  /** @param {string} url */
  async function sameSite(url) {
    lobby ??= await context.newPage();
    await lobby.goto(new URL(new URL(homeUrl).pathname, url).href);
    return lobby;
  }
  return {
    home: () => home,
    async open(url, options = {}) {
      const opener = sharesRenderer(options) ? await sameSite(url) : home;
      const opening = context.waitForEvent('page');
      const open = /** @param {string[]} args */ ([url, features]) =>
        void window.open(url, '_blank', features);
      await answered(opener.evaluate(open, [url, windowFeatures(options, opener === home)]));
      const page = await opening;
      await page.waitForURL(url);
      return { ...tabOf(page), ...extend(page) };
    },
    async kill() {
      const closed = context.waitForEvent('close');
      await killProcesses(browserProcesses(profile));
      await closed;
    },
    async crashRenderers() {
      await killProcesses(browserProcesses(profile).filter(({ command }) => isRenderer(command)));
      // A new page may be given a renderer of which the browser does not know yet that it is dead: it never answers,
      // and Playwright's newPage() never settles. By the second time the browser has noticed.
      const newHome = () => answered(context.newPage().then(asHome), OPEN_MILLIS);
      home = await newHome().catch(newHome);
    },
    // A browser whose pages have crashed may not come to its end by itself.
    close: () => answered(context.close()).catch(() => killProcesses(browserProcesses(profile))),
    setOffline: (isOffline) => context.setOffline(isOffline),
  };
}
