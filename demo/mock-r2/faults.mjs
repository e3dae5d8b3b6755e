/**
 * Trouble on demand, one fault per target at a time.
 *
 * @typedef {'bucket' | 'store' | 'endpoint'} Target
 *   `bucket`: browsers' way to the objects. `store`: the endpoint's own way to them. `endpoint`: the ingest Worker.
 *
 * @typedef {object} Down Nothing is there: connections are reset, those open already too. With `times` or
 *   `methods` it is the request that is reset, after its head has been read.
 * @property {'down'} kind
 *
 * @typedef {object} Hang The request is accepted and never answered; its connection is reset when the fault goes.
 * @property {'hang'} kind
 *
 * @typedef {object} Status An answer as R2 (XML) or the endpoint (JSON) would word it. The real one sees nothing.
 * @property {'status'} kind
 * @property {number} status
 * @property {string} [code] Default: the usual one for that status.
 * @property {string | number} [retryAfter] Seconds or HTTP date.
 *
 * @typedef {object} Slow The real one is asked at once; its answer is held back.
 * @property {'slow'} kind
 * @property {number} [delayMillis] Before the first byte of the answer. Default 0.
 * @property {number} [bytesPerSecond] For the request body, and for the answer. Default unlimited.
 *
 * @typedef {object} Reset The connection is reset once that many bytes of the body have come in: nothing is stored.
 * @property {'reset'} kind
 * @property {number} [afterBytes] Default 0. A shorter body passes unharmed.
 *
 * @typedef {object} LostAnswer The request is carried out, and the connection reset instead of an answer.
 * @property {'lost-answer'} kind
 *
 * @typedef {object} Clock The store's clock is ahead, so that presigned URLs expire. See `age-presigned-url.mjs`.
 * @property {'clock'} kind
 * @property {number} shiftMillis
 * @property {number} [signedBeforeMillis] Epoch: only URLs signed before it age. Later ones are as if from an endpoint whose clock
 *   is ahead as well. Default: all.
 *
 * @typedef {object} Reach
 * @property {number} [times] Strikes that many requests, then goes away by itself. Default: until cleared.
 * @property {string[]} [methods] Strikes only these. Default: all for `down`, `hang` and `slow`; all but OPTIONS
 *   for the others, for which a preflight is too early.
 *
 * @typedef {(Down | Hang | Status | Slow | Reset | LostAnswer | Clock) & Reach} Fault
 * @typedef {Fault & { strikes: number }} StandingFault
 */

/** @type {readonly Target[]} */
export const TARGETS = ['bucket', 'store', 'endpoint'];

const KINDS = ['down', 'hang', 'status', 'slow', 'reset', 'lost-answer', 'clock'];
const STRIKES_PREFLIGHTS = ['down', 'hang', 'slow'];

/** @param {unknown} value */
const isCount = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** @param {unknown} target @returns {asserts target is Target} */
function checkTarget(target) {
  if (!TARGETS.includes(/** @type {Target} */ (target)))
    throw new TypeError(`fault target: got ${JSON.stringify(target)}, takes ${TARGETS.join(', ')}`);
}

/** @param {Target} target @param {unknown} fault @returns {asserts fault is Fault} */
function checkFault(target, fault) {
  const it = /** @type {Record<string, unknown>} */ (fault);
  if (typeof fault !== 'object' || fault === null || !KINDS.includes(String(it.kind)))
    throw new TypeError(`fault: got ${JSON.stringify(fault)}, takes { kind: ${KINDS.join(' | ')} }`);
  const status = it.status;
  if (it.kind === 'status' && !(Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599))
    throw new TypeError(`fault status: got ${JSON.stringify(status)}, takes 400 to 599`);
  if (it.kind === 'clock' && !(target === 'bucket' && Number.isFinite(it.shiftMillis)))
    throw new TypeError('fault clock: takes shiftMillis, for the bucket');
  for (const name of ['times', 'signedBeforeMillis', 'delayMillis', 'bytesPerSecond', 'afterBytes'])
    if (it[name] !== undefined && !isCount(it[name]))
      throw new TypeError(`fault ${name}: takes a number from 0`);
  if (it.methods !== undefined && !Array.isArray(it.methods))
    throw new TypeError('fault methods: takes a list of HTTP methods');
}

/** Refuses at once every connection, and not just some requests? @param {Fault | undefined} fault */
const isShut = (fault) => fault?.kind === 'down' && fault.times === undefined && fault.methods === undefined;

/**
 * @typedef {object} Faults
 * @property {(target: Target, fault: Fault | null) => void} set Replaces the target's fault; null clears it.
 *   Throws a TypeError that says what is wrong with it.
 * @property {(target?: Target) => void} clear One target or all. Requests that hang are reset.
 * @property {() => Record<Target, StandingFault | null>} current With the strikes so far.
 * @property {(target: Target, method: string) => StandingFault | undefined} strike Takes one request's share.
 * @property {(target: Target) => boolean} isShut True while the target refuses connections; counts a strike.
 * @property {(target: Target, connection: import('./listen.mjs').Connection) => void} hold Keeps a hanging connection.
 * @property {(listener: (target: Target) => void) => void} onShut Runs when a target begins to refuse connections.
 */

/** @returns {Faults} */
export function createFaults() {
  /** @type {Map<Target, StandingFault>} */
  const standing = new Map();
  /** @type {Map<import('./listen.mjs').Connection, Target>} */
  const held = new Map();
  /** @type {((target: Target) => void)[]} */
  const shutListeners = [];

  /** @param {Target} target */
  const release = (target) => {
    for (const [connection, owner] of held) if (owner === target) connection.reset();
  };

  /** @type {Faults} */
  const faults = {
    set(target, fault) {
      checkTarget(target);
      if (fault !== null) checkFault(target, fault);
      standing.delete(target);
      release(target);
      if (fault === null || fault.times === 0) return;
      standing.set(target, { ...fault, strikes: 0 });
      if (isShut(fault)) for (const listener of shutListeners) listener(target);
    },
    clear(target) {
      for (const one of target === undefined ? TARGETS : [target]) faults.set(one, null);
    },
    current() {
      const of = (/** @type {Target} */ target) => standing.get(target) ?? null;
      return { bucket: of('bucket'), store: of('store'), endpoint: of('endpoint') };
    },
    strike(target, method) {
      const fault = standing.get(target);
      if (!fault) return undefined;
      const strikes = fault.methods
        ? fault.methods.includes(method)
        : method !== 'OPTIONS' || STRIKES_PREFLIGHTS.includes(fault.kind);
      if (!strikes) return undefined;
      fault.strikes++;
      if (fault.strikes === fault.times) standing.delete(target);
      return fault;
    },
    isShut(target) {
      const fault = standing.get(target);
      if (!fault || !isShut(fault)) return false;
      fault.strikes++;
      return true;
    },
    hold(target, connection) {
      held.set(connection, target);
      connection.onClose(() => held.delete(connection));
    },
    onShut(listener) {
      shutListeners.push(listener);
    },
  };
  return faults;
}
