import { spawnSync } from 'node:child_process';
import { chromium } from '@playwright/test';
import { findBrowser } from '../../support/browsers.mjs';
import { createPlaywrightBrowser } from './playwright-browser.mjs';

/** Playwright's, which a user's browser does not have. */
const NO_BFCACHE = '--disable-back-forward-cache';

const executablePath = () =>
  findBrowser('chromium')?.launchOptions?.executablePath ?? chromium.executablePath();

/** Over the Chrome DevTools Protocol. @type {import('./engine.mjs').Engine} */
export const chromiumEngine = {
  name: 'chromium',
  version: () => /[\d.]+/.exec(String(spawnSync(executablePath(), ['--version']).stdout))?.[0] ?? '',
  async launch(launch) {
    const context = await chromium.launchPersistentContext(launch.profile, {
      executablePath: executablePath(),
      ignoreHTTPSErrors: launch.tls !== undefined,
      ...(launch.hasBfcache && { ignoreDefaultArgs: [NO_BFCACHE] }),
    });
    const browser = await createPlaywrightBrowser({
      context,
      launch,
      isRenderer: (command) => command.includes('--type=renderer'),
      // A page that closes itself and is alone in its process gets no pagehide and no visibilitychange: Chromium ends
      // the process instead. With company it gets both, as it does when a user closes it.
      sharesRenderer: ({ closesItself = false }) => closesItself,
      extend: (page) => ({
        async slowDown(rate) {
          const session = await context.newCDPSession(page);
          await session.send('Emulation.setCPUThrottlingRate', { rate });
        },
      }),
    });
    // A quota lasts as long as the session that set it, and takes the origin only with a slash.
    const session = () => context.newCDPSession(browser.home());
    return {
      ...browser,
      async fillStorage(origin) {
        await (await session()).send('Storage.overrideQuotaForOrigin', {
          origin: `${origin}/`,
          quotaSize: 1_000,
        });
      },
      async clearSiteData(origin) {
        await (await session()).send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
      },
    };
  },
  async close() {},
};
