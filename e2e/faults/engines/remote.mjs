import { json } from 'node:stream/consumers';
import { listen } from '../../../demo/mock-r2/listen.mjs';
import { ANSWER_MILLIS } from './engine.mjs';

/**
 * The other end of `e2e/pages/remote.js`: runs code in pages that ask for it.
 *
 * @typedef {object} Command
 * @property {number} id
 * @property {string} code
 * @property {boolean} leaves The page stops asking, until it comes back.
 *
 * @typedef {object} Remote
 * @property {(url: string) => { url: string, tab: import('./engine.mjs').Tab }} adopt What to open in place of a URL, and
 *   the tab that it will be.
 * @property {() => Promise<void>} close
 */

/** Short, so that no more than six tabs take turns in an engine that opens six connections to a host. */
const HOLD_MILLIS = 500;

/**
 * @param {import('../../../demo/mock-r2/listen.mjs').Tls} [tls] A secure page asks only a secure server.
 * @returns {Promise<Remote>}
 */
export async function startRemote(tls) {
  /** Commands waiting, by path. @type {Map<string, Command[]>} */
  const queues = new Map();
  /** Wakes the page that waits at a path. @type {Map<string, () => void>} */
  const waiting = new Map();
  /** @type {Map<number, (outcome: { value?: unknown, error?: string }) => void>} */
  const running = new Map();
  let lastId = 0;

  /** @param {import('node:http').IncomingMessage} req @param {import('node:http').ServerResponse} res */
  async function answer(req, res) {
    const outcome = /** @type {any} */ (await json(req));
    running.get(outcome.id)?.(outcome);
    const path = req.url ?? '/';
    const give = () => {
      clearTimeout(timer);
      waiting.delete(path);
      // A page that is gone must not take a command with it.
      if (res.closed || req.socket.destroyed) return;
      const command = queues.get(path)?.shift();
      res.writeHead(200, { 'access-control-allow-origin': '*' }).end(JSON.stringify(command ?? {}));
      if (command?.leaves) running.get(command.id)?.({});
    };
    const timer = setTimeout(give, HOLD_MILLIS);
    waiting.get(path)?.();
    waiting.set(path, give);
    if (queues.get(path)?.length) give();
  }

  const { origin, close } = await listen(
    (req, res) => {
      answer(req, res).catch(() => res.destroy());
    },
    0,
    tls,
  );
  let tabs = 0;

  /** @param {string} path @param {string} code @param {boolean} leaves */
  const run = (path, code, leaves) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const timer = setTimeout(() => {
        running.delete(id);
        reject(new Error('the page does not answer'));
      }, ANSWER_MILLIS);
      running.set(id, ({ value, error }) => {
        clearTimeout(timer);
        running.delete(id);
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
      queues.set(path, [...(queues.get(path) ?? []), { id, code, leaves }]);
      waiting.get(path)?.();
    });

  return {
    adopt(url) {
      const path = `/${++tabs}`;
      const adopted = new URL(url);
      adopted.searchParams.set('remote', origin + path);
      return {
        url: adopted.href,
        tab: {
          run: (code) => run(path, code, false),
          leave: async (code) => void (await run(path, code, true)),
        },
      };
    },
    close,
  };
}
