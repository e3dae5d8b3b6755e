import { isInnerHost } from '../hosts.js';
import { bytesInWords, millisInWords, printable } from '../printable.js';
import type { Examination } from './settings.js';
import { type Signature, signatureOf } from './signature.js';
import type { Upload } from './untrusted-answer.js';

/** A stolen URL is worth this long. */
const LONG_LIFE_MILLIS = 3_600_000;
export const INNER_ADVICE = 'set publicEndpoint of s3() to where browsers reach the store';
const LAYOUT = /\/year=\d{4}\/month=\d\d\/day=\d\d\/hour=\d\d\/minute=\d\d\/traces_[^/]+\.json\.gz$/;

/** What an upload says of itself, before anything is sent. False when nothing may be sent to where it points. */
export function checkIssued(upload: Upload, examination: Examination): boolean {
  const { findings } = examination;
  const wrong = checkPlace(upload, examination);
  if (wrong) return false;

  if (LAYOUT.test(upload.key)) findings.ok('upload.key');
  else findings.warn('upload.key', printable(upload.key), 'readers look for year=…/…/traces_….json.gz');

  const signature = signatureOf(upload);
  const lifetime = signature.lifetimeMillis ?? upload.expiresInMs;
  if (lifetime <= LONG_LIFE_MILLIS) findings.ok('upload.lifetime', millisInWords(lifetime));
  else {
    const advice = 'lower urlExpirySeconds of createIngest(); clients renew by themselves';
    findings.warn('upload.lifetime', millisInWords(lifetime), advice);
  }
  checkSigned(upload, signature, examination);
  checkBound(upload, signature, examination);
  return true;
}

/** An endpoint that is not ours could point at our own network: nothing is sent there. */
function checkPlace(upload: Upload, examination: Examination): boolean {
  const { findings, settings } = examination;
  const url = new URL(upload.url);
  examination.bucketOrigin = url.origin;
  // What only its address shows is found out at connecting.
  if (isInnerHost(url.hostname) && !examination.isInner) {
    findings.fail('upload.url', `${url.origin} is an address of a private network`, INNER_ADVICE);
    return true;
  }
  if (url.protocol === 'http:' && settings.origin.startsWith('https:')) {
    const advice = 'set publicEndpoint of s3() to an https: address; an https: page cannot send to http:';
    findings.fail('upload.url', url.origin, advice);
    return true;
  }
  findings.ok('upload.url', `${upload.method} ${url.origin}`);
  return false;
}

/** GCS has a header of its own for write-once; a form has none. */
function checkSigned({ method }: Upload, { names }: Signature, { findings }: Examination): void {
  const missing = [
    ...(names.includes('content-type') ? [] : ['content-type']),
    ...(method === 'POST' || names.some((name) => /^(if-none-match|x-goog-if-generation-match)$/.test(name))
      ? []
      : ['if-none-match']),
  ];
  if (missing.length === 0) {
    findings.ok('upload.signed', names.join(', '));
    return;
  }
  const advice = 'sign them, as s3() does: else a page may put what it likes, or overwrite';
  findings.fail('upload.signed', `not signed: ${missing.join(', ')}`, advice);
}

function checkBound(upload: Upload, { names, maxBytes }: Signature, { findings }: Examination): void {
  const isSigned =
    maxBytes !== undefined ||
    names.some((name) => /^(content-length|x-goog-content-length-range)$/.test(name));
  const bound = upload.bytes ?? upload.maxBytes ?? maxBytes;
  if (isSigned && bound !== undefined) {
    const words = upload.bytes === undefined ? 'at most' : 'exactly';
    findings.ok('upload.size', `${words} ${bytesInWords(bound)}`);
    return;
  }
  findings.warn(
    'upload.size',
    'a URL takes a body of any length, gigabytes too',
    'set maxUploadBytes of createIngest()',
  );
}
