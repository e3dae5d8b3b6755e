import { isInnerAddress, isLoopback } from '../hosts.js';
import { type HttpAnswer, HttpError } from '../http.js';
import { millisInWords, printable } from '../printable.js';
import { SKEW_FAIL_MILLIS, SKEW_WARN_MILLIS, skewOf } from './clock.js';
import { listOf, unreadable } from './cors.js';
import { exchange, newId } from './exchange.js';
import { PROBE_BYTES } from './probe.js';
import type { Examination } from './settings.js';
import { checkStrangers } from './stranger-checks.js';
import { errorCodeOf, type Issued, readIssued } from './untrusted-answer.js';

/** One to use, one for the relay, one that must not be usable in the wrong way. */
const WANTED = 3;
/** A page that lives two seconds has left by then. */
const SLOW_MILLIS = 2_000;
/** Whether the endpoint does what pages need of it, and no more. Undefined when there is nothing to go on with. */
export async function checkEndpoint(examination: Examination): Promise<Issued | undefined> {
  const { settings, findings } = examination;
  checkScheme(examination);
  let answer: HttpAnswer;
  try {
    answer = await exchange(
      examination,
      Array.from({ length: WANTED }, () => ({ id: newId(), bytes: PROBE_BYTES })),
    );
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    findings.fail('endpoint.reach', error.message, adviceOn(error));
    return undefined;
  }
  if (answer.address !== undefined) examination.isInner = isInnerAddress(answer.address);
  findings.ok('endpoint.reach', settings.endpoint.origin + printable(settings.endpoint.pathname));
  checkSpeed(answer, examination);
  checkClock(answer, examination);
  const issued = readExchange(answer, examination);
  if (issued === undefined) return undefined;
  checkReadable(answer, examination);
  checkNoStore(answer, examination);
  if (issued.isPaused) {
    const seen = 'clients are told to stop: they send nothing, and get no uploads';
    findings.warn('endpoint.paused', seen, '`config` of createIngest() says so');
  } else findings.ok('endpoint.paused');
  await checkStrangers(examination);
  return issued;
}

function checkScheme({ settings: { endpoint, origin }, findings }: Examination): void {
  if (endpoint.protocol === 'https:') findings.ok('endpoint.https');
  else if (isLoopback(endpoint.hostname)) findings.skip('endpoint.https', 'loopback');
  else {
    const blocked = origin.startsWith('https:') ? '; a page on https: cannot call it' : '';
    findings.fail('endpoint.https', `${endpoint.protocol}//${blocked}`, 'serve the endpoint over HTTPS');
  }
}

function readExchange(answer: HttpAnswer, { settings, findings }: Examination): Issued | undefined {
  const fail = (seen: string, advice: string): undefined => {
    findings.fail('endpoint.exchange', seen, advice);
    return undefined;
  };
  const { status, headers, body } = answer;
  if (status >= 300 && status < 400) {
    const to = printable(headers.location ?? 'nowhere', 100);
    return fail(
      `it redirects (${status}) to ${to}`,
      'give pages, and doctor, the address that answers by itself',
    );
  }
  const code = errorCodeOf(body);
  if (code === 'forbidden_origin') {
    return fail(
      `${status} forbidden_origin`,
      `add ${JSON.stringify(settings.origin)} to allowedOrigins of createIngest()`,
    );
  }
  if (code === 'unknown_project') {
    return fail(`${status} unknown_project`, "give --project one of the endpoint's public keys");
  }
  if (code === 'rate_limited') {
    return fail(
      `${status} rate_limited, Retry-After ${printable(headers['retry-after'] ?? 'absent', 40)}`,
      'try again later',
    );
  }
  if (code === 'storage_failed') {
    return fail(
      `${status} storage_failed`,
      "look at the endpoint's log (onError): the store refuses its credentials",
    );
  }
  if (status !== 200) {
    const what = code ?? (status === 404 ? 'nothing is there' : 'not an answer of createIngest()');
    return fail(`${status} (${what})`, 'check the path, and that createIngest() answers it');
  }
  const issued = readIssued(body);
  if (typeof issued === 'string') return fail(issued, 'check the path, and that createIngest() answers it');
  findings.ok('endpoint.exchange');
  return issued;
}

function checkReadable(answer: HttpAnswer, { settings: { endpoint, origin }, findings }: Examination): void {
  if (endpoint.origin === origin) {
    findings.ok('endpoint.cors', 'same origin as the page');
    return;
  }
  const reason = unreadable(answer, origin);
  const exposed = listOf(answer.headers['access-control-expose-headers']).map((name) => name.toLowerCase());
  if (reason) {
    const advice = `let the answer say Access-Control-Allow-Origin: ${origin}; createIngest() does, unless a proxy takes it away`;
    findings.fail('endpoint.cors', reason, advice);
  } else if (!exposed.includes('retry-after') && !exposed.includes('*')) {
    const advice = 'let the answer say Access-Control-Expose-Headers: Retry-After';
    findings.warn('endpoint.cors', 'pages cannot read Retry-After', advice);
  } else findings.ok('endpoint.cors');
}

function checkNoStore({ headers }: HttpAnswer, { findings }: Examination): void {
  if (listOf(headers['cache-control']).some((part) => part.toLowerCase() === 'no-store')) {
    findings.ok('endpoint.no-store');
    return;
  }
  const seen = `Cache-Control: ${printable(headers['cache-control'] ?? 'absent')}`;
  findings.fail('endpoint.no-store', seen, 'let nothing on the way change Cache-Control: no-store');
}

function checkSpeed({ millis }: HttpAnswer, { findings }: Examination): void {
  const seen = `${millisInWords(millis)}, connection included`;
  if (millis < SLOW_MILLIS) findings.ok('endpoint.speed', seen);
  else
    findings.warn(
      'endpoint.speed',
      seen,
      'pages that live shorter cannot upload; inline the first uploads, or run the endpoint nearer',
    );
}

function checkClock(answer: HttpAnswer, { findings }: Examination): void {
  const skew = skewOf(answer);
  if (skew === undefined) {
    findings.skip('clock.endpoint', 'the answer has no Date');
    return;
  }
  if (Math.abs(skew) < SKEW_WARN_MILLIS) {
    findings.ok('clock.endpoint');
    return;
  }
  const seen = `${millisInWords(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} this machine`;
  const advice = 'set the clock that is wrong, of the endpoint or of this machine, by NTP';
  if (Math.abs(skew) < SKEW_FAIL_MILLIS) findings.warn('clock.endpoint', seen, advice);
  else findings.fail('clock.endpoint', seen, advice);
}

function adviceOn({ kind }: HttpError): string {
  if (kind === 'name') return 'check the spelling of --endpoint, and the DNS record';
  if (kind === 'tls')
    return 'browsers refuse it as well: mend the certificate (its names, its dates, the chain)';
  if (kind === 'refused') return 'nothing listens there: check the port, and that the endpoint runs';
  return 'check that the endpoint runs, and that no firewall is in the way';
}
