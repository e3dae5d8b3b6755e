// A preload (`node --import`): moves `Date`, and nothing else, by SPANDREL_DAYS_AHEAD days, in this process, in those that
// it starts and in their Workers. Timers, `performance`, and the clocks of files, certificates and browsers stay.
import Module from 'node:module';

const days = process.env['SPANDREL_DAYS_AHEAD'];
const aheadMillis = Number(days) * 86_400_000;
if (!Number.isFinite(aheadMillis))
  throw new TypeError(`SPANDREL_DAYS_AHEAD takes a number of days, got "${days}"`);

/** Goes to Workers as text. @param {number} ahead Milliseconds. */
function moveDate(ahead) {
  const Present = Date;
  // Each of a Worker's modules moves it.
  if ('isMoved' in Present) return;
  const now = () => Present.now() + ahead;
  Object.defineProperty(Present, 'isMoved', { value: true });
  globalThis.Date = new Proxy(Present, {
    apply: () => new Present(now()).toString(),
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length ? args : [now()], newTarget),
    get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  });
  Present.prototype.constructor = globalThis.Date;
}

moveDate(aheadMillis);

// workerd asks the machine for the time, and Miniflare's store refuses what was signed at another. All Workers, its own
// among them, pass through one function of its, so the source of that is changed as it is loaded.
const SERIALIZE = 'function serializeConfig(config2) {';

/** @param {{ services?: { worker?: { modules?: { esModule?: string }[], serviceWorkerScript?: string } }[] }} config */
function moveWorkers({ services = [] }) {
  const source = `(${moveDate})(${aheadMillis});`;
  for (const { worker } of services) {
    if (worker?.serviceWorkerScript) worker.serviceWorkerScript = source + worker.serviceWorkerScript;
    for (const module of worker?.modules ?? [])
      if (module.esModule !== undefined) module.esModule = source + module.esModule;
  }
}

const hooked = /** @type {{ _compile(source: string, file: string, ...rest: unknown[]): unknown }} */ (
  /** @type {unknown} */ (Module.prototype)
);
const compile = hooked._compile;
hooked._compile = function (source, file, ...rest) {
  if (!/[\\/]miniflare[\\/]dist[\\/]src[\\/]index\.js$/.test(file))
    return compile.call(this, source, file, ...rest);
  if (!source.includes(SERIALIZE)) throw new Error(`${file} has no "${SERIALIZE}" to move its clock in`);
  Object.assign(globalThis, { spandrelMoveWorkers: moveWorkers });
  const moved = source.replace(SERIALIZE, `${SERIALIZE} spandrelMoveWorkers(config2);`);
  return compile.call(this, moved, file, ...rest);
};
