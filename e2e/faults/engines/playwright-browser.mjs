import { ANSWER_MILLIS, windowFeatures } from './engine.mjs';
import { browserProcesses, killProcesses } from './processes.mjs';

/** @param {import('@playwright/test').Page} page @returns {import('./engine.mjs').Tab} */
const tabOf = (page) => ({
  run: (code) => page.evaluate(code),
  // The page may be gone before it can answer.
  leave: (code) =>
    page.evaluate(code).then(
      () => {},
      () => {},
    ),
});

/**
 * A browser that Playwright drives, on a profile that outlives it.
 *
 * @param {object} options
 * @param {import('@playwright/test').BrowserContext} options.context
 * @param {import('./engine.mjs').LaunchOptions} options.launch
 * @param {(command: string) => boolean} options.isRenderer Tells by the command line.
 * @returns {Promise<import('./engine.mjs').Browser & { home(): import('@playwright/test').Page }>}
 */
export async function createPlaywrightBrowser({ context, launch: { homeUrl, profile }, isRenderer }) {
  context.setDefaultTimeout(ANSWER_MILLIS);
  /** @param {import('@playwright/test').Page} page */
  const asHome = async (page) => {
    await page.goto(homeUrl);
    return page;
  };
  let home = await asHome(context.pages()[0] ?? (await context.newPage()));
  /** @param {import('./processes.mjs').Process[]} processes */
  return {
    home: () => home,
    async open(url, { isPopup = false } = {}) {
      const opening = context.waitForEvent('page');
      const open = /** @param {string[]} args */ ([url, features]) =>
        void window.open(url, '_blank', features);
      await home.evaluate(open, [url, windowFeatures(isPopup)]);
      const page = await opening;
      await page.waitForURL(url);
      return tabOf(page);
    },
    async kill() {
      const closed = context.waitForEvent('close');
      await killProcesses(browserProcesses(profile));
      await closed;
    },
    async crashRenderers() {
      await killProcesses(browserProcesses(profile).filter(({ command }) => isRenderer(command)));
      home = await asHome(await context.newPage());
    },
    close: () => context.close(),
    setOffline: (isOffline) => context.setOffline(isOffline),
  };
}
