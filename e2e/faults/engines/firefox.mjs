import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { firefox } from '@playwright/test';
import { findBrowser } from '../../support/browsers.mjs';
import { createPlaywrightBrowser } from './playwright-browser.mjs';

const PREFS = {
  'dom.allow_scripts_to_close_windows': true,
  'dom.disable_open_during_load': false,
};
const NO_BFCACHE = { 'browser.sessionhistory.max_total_viewers': 0 };

const firefoxPath = () => findBrowser('firefox')?.launchOptions?.executablePath ?? firefox.executablePath();

/**
 * Playwright sets a variable, over what one gives it, that makes Firefox end with the first page that crashes.
 *
 * @param {string} profile Where the file is put.
 * @returns {Promise<string>} What to start instead.
 */
async function withoutShutdown(profile) {
  const file = path.join(profile, 'firefox.sh');
  const script = `#!/bin/sh\nunset MOZ_CRASHREPORTER_SHUTDOWN\nexec '${firefoxPath()}' "$@"\n`;
  await writeFile(file, script, { mode: 0o755 });
  return file;
}

/** Over WebDriver BiDi where it is a distribution's build. @type {import('./engine.mjs').Engine} */
export const firefoxEngine = {
  name: 'firefox',
  version: () => /[\d.]+/.exec(String(spawnSync(firefoxPath(), ['--version']).stdout))?.[0] ?? '',
  async launch(launch) {
    const { channel } = findBrowser('firefox') ?? {};
    const context = await firefox.launchPersistentContext(launch.profile, {
      executablePath: await withoutShutdown(launch.profile),
      ...(channel && { channel }),
      ignoreHTTPSErrors: launch.tls !== undefined,
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
