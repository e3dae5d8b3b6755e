/** Whether the endpoint does what pages need of it, and no more. */
import { isInnerAddress, isLoopback } from '../hosts.js';
import { type HttpAnswer, HttpError } from '../http.js';
import { millisInWords, printable } from '../printable.js';
import { listOf, unreadable } from './cors.js';
import { exchange, newId, relayUrl } from './exchange.js';
import { PROBE_BYTES } from './probe.js';
import { errorCodeOf, readIssued } from './untrusted-answer.js';
import {
  type Check,
  check,
  FOREIGN_ORIGIN,
  type Found,
  fail,
  ofClock,
  ok,
  skewOf,
  skip,
  type World,
  warn,
} from './world.js';

/** One to use, one for the relay, one that must not be usable in the wrong way. */
const WANTED = 3;
/** A page that lives two seconds has left by then. */
const SLOW_MILLIS = 2_000;

const anything = (): true => true;
const answerOf = ({ answer }: World): HttpAnswer | undefined => answer;
/** The answer, where it is one of an endpoint. */
const ofEndpoint = ({ answer, issued, isStopped }: World): HttpAnswer | undefined =>
  issued && !isStopped ? answer : undefined;

export const ENDPOINT_CHECKS = {
  'endpoint.https': check('the endpoint speaks HTTPS', anything, (_, { settings: { endpoint, origin } }) => {
    if (endpoint.protocol === 'https:') return ok();
    if (isLoopback(endpoint.hostname)) return skip('loopback');
    const blocked = origin.startsWith('https:') ? '; a page on https: cannot call it' : '';
    return fail(`${endpoint.protocol}//${blocked}`, 'serve the endpoint over HTTPS');
  }),

  'endpoint.reach': check('the endpoint can be reached', anything, async (_, world) => {
    const wants = Array.from({ length: WANTED }, () => ({ id: newId(), bytes: PROBE_BYTES }));
    try {
      world.answer = await exchange(world, wants);
    } catch (error) {
      if (error instanceof HttpError) return fail(error.message, ADVICE_ON[error.kind] ?? ADVICE_ON.broken);
      throw error;
    }
    const { address } = world.answer;
    if (address !== undefined) world.isInner = isInnerAddress(address);
    const { origin, pathname } = world.settings.endpoint;
    return ok(origin + printable(pathname));
  }),

  'endpoint.speed': check('it answers soon', answerOf, ({ millis }) => {
    const seen = `${millisInWords(millis)}, connection included`;
    if (millis < SLOW_MILLIS) return ok(seen);
    return warn(
      seen,
      'pages that live shorter cannot upload; inline the first uploads, or run the endpoint nearer',
    );
  }),

  'clock.endpoint': check("the endpoint's clock is right", answerOf, (answer) => {
    const skew = skewOf(answer);
    if (skew === undefined) return skip('the answer has no Date');
    const off = Math.abs(skew);
    const seen = `${millisInWords(off)} ${skew > 0 ? 'ahead of' : 'behind'} this machine`;
    const advice = 'set the clock that is wrong, of the endpoint or of this machine, by NTP';
    return ofClock(off, seen, advice);
  }),

  'endpoint.exchange': check('the endpoint answers the SDK', answerOf, (answer, world) => {
    const refusal = refusalIn(answer, world);
    if (refusal) return refusal;
    const issued = readIssued(answer.body);
    if (typeof issued === 'string') return fail(issued, 'check the path, and that createIngest() answers it');
    world.issued = issued;
    return ok();
  }),

  'endpoint.cors': check('pages may read its answer', ofEndpoint, (answer, { settings }) => {
    const { endpoint, origin } = settings;
    if (endpoint.origin === origin) return ok('same origin as the page');
    const reason = unreadable(answer, origin);
    if (reason) {
      const advice = `let the answer say Access-Control-Allow-Origin: ${origin}; createIngest() does, unless a proxy takes it away`;
      return fail(reason, advice);
    }
    const exposed = listOf(answer.headers['access-control-expose-headers']).map((name) => name.toLowerCase());
    if (exposed.includes('retry-after') || exposed.includes('*')) return ok();
    return warn(
      'pages cannot read Retry-After',
      'let the answer say Access-Control-Expose-Headers: Retry-After',
    );
  }),

  'endpoint.no-store': check('its answers are kept by nobody', ofEndpoint, ({ headers }) => {
    const value = headers['cache-control'];
    if (listOf(value).some((part) => part.toLowerCase() === 'no-store')) return ok();
    const advice = 'let nothing on the way change Cache-Control: no-store';
    return fail(`Cache-Control: ${printable(value ?? 'absent')}`, advice);
  }),

  'endpoint.paused': check('clients are not paused', ofEndpoint, (_, { issued }) => {
    if (!issued?.isPaused) return ok();
    const seen = 'clients are told to stop: they send nothing, and get no uploads';
    return warn(seen, '`config` of createIngest() says so');
  }),

  'endpoint.method': check(
    'it takes POST and nothing else',
    ofEndpoint,
    async (_, { ask, settings: { endpoint, origin } }) => {
      const { status } = await ask(endpoint, { headers: { origin } });
      if (status === 405) return ok();
      return warn(`GET answers ${status}`, 'send all of this path to createIngest()');
    },
  ),

  'endpoint.foreign-origin': check('it turns other sites away', ofEndpoint, async (_, world) => {
    const { status } = await exchange(world, [], FOREIGN_ORIGIN);
    if (status === 403) return ok();
    const advice = 'name your own origins in allowedOrigins of createIngest(), not all';
    return warn(`a page of ${FOREIGN_ORIGIN} gets ${status}`, advice);
  }),

  'endpoint.forgery': check(
    'it stores under no id that is none',
    ofEndpoint,
    async (_, { ask, settings: { endpoint, origin, project } }) => {
      const url = relayUrl(endpoint, 'forged-id', project);
      const { status } = await ask(url, { method: 'POST', headers: { origin }, body: 'not gzip' });
      if (status >= 400 && status < 500) return ok();
      const advice = 'send all of this path, with its query, to createIngest()';
      return fail(`a relay with a forged id gets ${status}`, advice);
    },
  ),
} satisfies Record<string, Check>;

/** What is wrong with an answer that grants nothing. */
function refusalIn({ status, headers, body }: HttpAnswer, { settings }: World): Found | undefined {
  if (status >= 300 && status < 400) {
    const to = printable(headers.location ?? 'nowhere', 100);
    const advice = 'give pages, and doctor, the address that answers by itself';
    return fail(`it redirects (${status}) to ${to}`, advice);
  }
  const code = errorCodeOf(body);
  if (code === 'rate_limited') {
    const wait = printable(headers['retry-after'] ?? 'absent', 40);
    return fail(`${status} rate_limited, Retry-After ${wait}`, 'try again later');
  }
  const known: Record<string, string> = {
    forbidden_origin: `add ${JSON.stringify(settings.origin)} to allowedOrigins of createIngest()`,
    unknown_project: "give --project one of the endpoint's public keys",
    storage_failed: "look at the endpoint's log (onError): the store refuses its credentials",
  };
  if (code !== undefined && Object.hasOwn(known, code)) return fail(`${status} ${code}`, known[code] ?? '');
  if (status === 200) return undefined;
  const what = code ?? (status === 404 ? 'nothing is there' : 'not an answer of createIngest()');
  return fail(`${status} (${what})`, 'check the path, and that createIngest() answers it');
}

const ADVICE_ON: Partial<Record<HttpError['kind'], string>> & { broken: string } = {
  name: 'check the spelling of --endpoint, and the DNS record',
  tls: 'browsers refuse it as well: mend the certificate (its names, its dates, the chain)',
  refused: 'nothing listens there: check the port, and that the endpoint runs',
  broken: 'check that the endpoint runs, and that no firewall is in the way',
};
