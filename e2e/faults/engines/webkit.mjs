// WebKitGTK's MiniBrowser as a user would start it, and not through WebKitWebDriver: a session of that is ephemeral,
// so that nothing it stored would be there after a kill. The pages are run by remote.mjs instead.
import { spawn, spawnSync } from 'node:child_process';
import { findWebKit } from '../../support/browsers.mjs';
import { startDisplay } from './display.mjs';
import { windowFeatures } from './engine.mjs';
import { browserProcesses, killProcesses } from './processes.mjs';
import { startRemote } from './remote.mjs';

const ARGUMENTS = ['--javascript-can-open-windows-automatically=true', '--ignore-tls-errors'];
const isRenderer = (/** @type {string} */ command) => command.includes('WebKitWebProcess');

/** @type {ReturnType<typeof startDisplay> | undefined} */
let display;

/** @type {import('./engine.mjs').Engine} */
export const webkitEngine = {
  name: 'webkit',
  async version() {
    display ??= startDisplay();
    const env = { ...process.env, DISPLAY: (await display).name };
    return /[\d.]+/.exec(String(spawnSync(findWebKit() ?? '', ['--version'], { env }).stdout))?.[0] ?? '';
  },
  async launch({ profile, homeUrl, tls, hasBfcache }) {
    display ??= startDisplay();
    const remote = await startRemote(tls);
    const home = remote.adopt(homeUrl);
    const child = spawn(
      findWebKit() ?? '',
      // The profile's name is on the command line only so that its processes are found by it.
      [...ARGUMENTS, `--enable-page-cache=${hasBfcache}`, `--cookies-file=${profile}/cookies`, home.url],
      {
        stdio: 'ignore',
        env: {
          PATH: process.env['PATH'],
          DISPLAY: (await display).name,
          HOME: profile,
          XDG_DATA_HOME: `${profile}/data`,
          XDG_CACHE_HOME: `${profile}/cache`,
          XDG_CONFIG_HOME: `${profile}/config`,
          WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
          LIBGL_ALWAYS_SOFTWARE: '1',
        },
      },
    );
    const end = () => void child.kill('SIGKILL');
    process.once('exit', end);
    await home.tab.run('document.readyState');
    const renderers = () => browserProcesses(profile).filter(({ command }) => isRenderer(command));
    const homePids = renderers().map(({ pid }) => pid);
    const kill = async () => {
      process.off('exit', end);
      await killProcesses(browserProcesses(profile));
      await remote.close();
    };
    return {
      async open(url, options = {}) {
        const adopted = remote.adopt(url);
        const args = [adopted.url, '_blank', windowFeatures(options)].map((arg) => JSON.stringify(arg));
        await home.tab.run(`void window.open(${args.join()})`);
        await adopted.tab.run(
          `document.readyState === 'complete' || new Promise((done) => addEventListener('load', () => done(true)))`,
        );
        return adopted.tab;
      },
      kill,
      crashRenderers: () => killProcesses(renderers().filter(({ pid }) => !homePids.includes(pid))),
      close: kill,
    };
  },
  async close() {
    (await display)?.close();
    display = undefined;
  },
};
