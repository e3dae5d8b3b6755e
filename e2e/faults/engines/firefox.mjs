import { spawnSync } from 'node:child_process';
import { firefox } from '@playwright/test';
import { findBrowser } from '../../support/browsers.mjs';
import { createPlaywrightBrowser } from './playwright-browser.mjs';

const PREFS = {
  'dom.allow_scripts_to_close_windows': true,
  'dom.disable_open_during_load': false,
};
const NO_BFCACHE = { 'browser.sessionhistory.max_total_viewers': 0 };

/** Over WebDriver BiDi where it is a distribution's build. @type {import('./engine.mjs').Engine} */
export const firefoxEngine = {
  name: 'firefox',
  version() {
    const file = findBrowser('firefox')?.launchOptions?.executablePath ?? firefox.executablePath();
    return /[\d.]+/.exec(String(spawnSync(file, ['--version']).stdout))?.[0] ?? '';
  },
  async launch(launch) {
    const { channel, launchOptions } = findBrowser('firefox') ?? {};
    const context = await firefox.launchPersistentContext(launch.profile, {
      ...launchOptions,
      ...(channel && { channel }),
      ignoreHTTPSErrors: launch.tls !== undefined,
      // Playwright sets it, and the browser would end with the first page that crashes.
      env: { ...process.env, MOZ_CRASHREPORTER_SHUTDOWN: '' },
      firefoxUserPrefs: { ...PREFS, ...(!launch.hasBfcache && NO_BFCACHE) },
    });
    return createPlaywrightBrowser({
      context,
      launch,
      isRenderer: (command) => /-contentproc.* tab$/.test(command),
    });
  },
  async close() {},
};
