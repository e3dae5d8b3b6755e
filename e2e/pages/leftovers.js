// First script of a page: counts the timers that the built files set and that have not fired, and their listeners
// that are still there. Others' do not count: Playwright puts listeners of its own into the page.
{
  const isOurs = () => new Error().stack.includes('/dist/');
  const timers = new Set();
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const ourTimeout = (task, millis, ...args) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      task(...args);
    }, millis);
    if (isOurs()) timers.add(timer);
    return timer;
  };
  Object.assign(globalThis, { setTimeout: ourTimeout });
  globalThis.setInterval = (task, ...args) => {
    const timer = setInterval(task, ...args);
    if (isOurs()) timers.add(timer);
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    timers.delete(timer);
    clearTimeout(timer);
  };
  globalThis.clearInterval = (timer) => {
    timers.delete(timer);
    clearInterval(timer);
  };

  const listeners = [];
  const isThat =
    (target, type, listener, options = undefined) =>
    (one) =>
      one.target === target &&
      one.type === type &&
      one.listener === listener &&
      one.capture === (options === true || options?.capture === true);
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const forget = (...args) => {
    const at = listeners.findIndex(isThat(...args));
    if (at >= 0) listeners.splice(at, 1);
  };
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    const target = this ?? globalThis;
    const given = typeof options === 'object' ? options : { capture: options };
    const capture = given?.capture === true;
    if (isOurs() && !listeners.some(isThat(target, type, listener, options))) {
      listeners.push({ target, type, listener, capture });
    }
    addEventListener.call(target, type, listener, options);
    if (given?.once) {
      addEventListener.call(target, type, () => forget(target, type, listener, options), options);
    }
  };
  EventTarget.prototype.removeEventListener = function (...args) {
    const target = this ?? globalThis;
    forget(target, ...args);
    removeEventListener.call(target, ...args);
  };

  const firstFetch = globalThis.fetch;
  globalThis.leftovers = () => ({
    timers: timers.size,
    listeners: listeners.map(({ target, type }) => `${target.constructor.name} ${type}`),
    fetch: globalThis.fetch === firstFetch ? 'as it was' : 'wrapped',
  });
}
