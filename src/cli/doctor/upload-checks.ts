import type { PresignedUpload } from '../../protocol.js';
import { type HttpAnswer, HttpError } from '../http.js';
import { bytesInWords, millisInWords, printable } from '../printable.js';
import { SKEW_FAIL_MILLIS, SKEW_WARN_MILLIS, skewOf } from './clock.js';
import { namesToAsk, preflight, refusedPreflight, unreadable } from './cors.js';
import { isLoopback, isPrivate } from './hosts.js';
import { makeProbe, padGzip } from './probe.js';
import { bodyOf, type Sent } from './send-upload.js';
import { type Examination, FOREIGN_ORIGIN } from './settings.js';
import { signatureOf } from './signature.js';

/** A stolen URL is worth this long. */
const LONG_LIFE_MILLIS = 3_600_000;
/** Where a size is only bounded, a body over the bound is sent to see it refused, unless that is a large one. */
const MAX_EXCESS_BYTES = 1_048_576;
const LAYOUT = /\/year=\d{4}\/month=\d\d\/day=\d\d\/hour=\d\d\/minute=\d\d\/traces_[^/]+\.json\.gz$/;

/** What one answer to a URL says about it without sending anything. */
export function checkIssued(upload: PresignedUpload, examination: Examination): boolean {
  const { findings, settings } = examination;
  const url = new URL(upload.url);
  examination.bucketOrigin = url.origin;
  const endpointIsLocal = isLoopback(settings.endpoint.hostname) || isPrivate(settings.endpoint.hostname);
  if ((isLoopback(url.hostname) || isPrivate(url.hostname)) && !endpointIsLocal) {
    const advice = 'set publicEndpoint of s3() to where browsers reach the store';
    findings.tell('upload.url', 'fail', `${url.origin} is an address of a private network`, advice);
    return false;
  }
  if (url.protocol === 'http:' && settings.origin.startsWith('https:')) {
    const advice =
      'set publicEndpoint of s3() to an https: address; browsers refuse http: from an https: page';
    findings.tell('upload.url', 'fail', url.origin, advice);
    return false;
  }
  findings.tell('upload.url', 'ok', `${upload.method} ${url.origin}`);

  if (LAYOUT.test(upload.key)) findings.tell('upload.key', 'ok');
  else
    findings.tell(
      'upload.key',
      'warn',
      printable(upload.key),
      'the Collector and others look for year=…/…/traces_….json.gz',
    );

  const signature = signatureOf(upload);
  const lifetime = signature.lifetimeMillis ?? upload.expiresInMs;
  const life = millisInWords(lifetime);
  if (lifetime <= LONG_LIFE_MILLIS) findings.tell('upload.lifetime', 'ok', life);
  else
    findings.tell(
      'upload.lifetime',
      'warn',
      life,
      'lower urlExpirySeconds of createIngest(); clients renew by themselves',
    );

  const missing = ['content-type', 'if-none-match'].filter((name) => !signature.names.includes(name));
  if (upload.method === 'POST')
    missing.splice(0, 2, ...(signature.names.includes('content-type') ? [] : ['content-type']));
  if (missing.length === 0) findings.tell('upload.signed', 'ok', signature.names.join(', '));
  else
    findings.tell(
      'upload.signed',
      'fail',
      `not signed: ${missing.join(', ')}`,
      'sign them, as s3() does: else a page may put what it likes, or overwrite',
    );

  const bound = upload.bytes ?? upload.maxBytes ?? signature.maxBytes;
  const isBound = signature.names.includes('content-length') || signature.maxBytes !== undefined;
  if (isBound && bound !== undefined) {
    findings.tell(
      'upload.size',
      'ok',
      upload.bytes === undefined ? `at most ${bytesInWords(bound)}` : `exactly ${bytesInWords(bound)}`,
    );
  } else {
    findings.tell(
      'upload.size',
      'warn',
      'a URL takes a body of any length, gigabytes too',
      'set maxUploadBytes of createIngest()',
    );
  }
  return true;
}

/** Whether the bucket's CORS rules let the page send what the upload wants sent. */
export async function checkPreflight(upload: PresignedUpload, examination: Examination): Promise<void> {
  const { settings, findings, ask } = examination;
  const names = namesToAsk(upload.headers);
  if (upload.method === 'POST' && names.length === 0) {
    findings.tell('bucket.preflight', 'skip', 'a form needs none');
    findings.tell('bucket.preflight-foreign', 'skip', 'a form needs none');
    return;
  }
  const refusalFor = async (origin: string): Promise<string | undefined> => {
    const answer = await ask(upload.url, {
      method: 'OPTIONS',
      headers: preflight(origin, upload.method, names),
    });
    return refusedPreflight(answer, origin, upload.method, names);
  };
  const asked = `${upload.method} with ${names.join(', ')}`;
  const refusal = await refusalFor(settings.origin);
  if (refusal) findings.tell('bucket.preflight', 'fail', `${asked}: ${refusal}`, 'set the CORS rules below');
  else findings.tell('bucket.preflight', 'ok', asked);
  if (await refusalFor(FOREIGN_ORIGIN)) findings.tell('bucket.preflight-foreign', 'ok');
  else
    findings.tell(
      'bucket.preflight-foreign',
      'warn',
      'every site may use a URL that it got hold of',
      'name your own origins in the CORS rules, not *',
    );
}

/** Whether an upload can be used in another way than it was meant. What is stored all the same is remembered. */
export async function checkMisuse(upload: PresignedUpload, examination: Examination): Promise<void> {
  const { findings } = examination;
  const body = probeFor(upload);
  if (!body) return;
  const send = async (sent: Sent): Promise<number> => {
    const { status } = await sendTo(upload, sent, examination);
    if (status >= 200 && status < 300) examination.leftKeys.add(upload.key);
    return status;
  };
  const isRefused = (status: number): boolean => status >= 400 && status < 500 && status !== 412;
  const type = await send({ body, contentType: 'text/html' });
  if (isRefused(type)) findings.tell('bucket.type', 'ok', `${type}`);
  else findings.tell('bucket.type', 'fail', `text/html gets ${type}`, 'sign content-type, as s3() does');

  const isExact = upload.bytes !== undefined;
  const excess = (upload.bytes ?? upload.maxBytes ?? 0) + 1;
  if (!isExact && upload.maxBytes === undefined) findings.tell('bucket.size', 'skip', 'no length is signed');
  else if (excess > MAX_EXCESS_BYTES)
    findings.tell('bucket.size', 'skip', `the bound is ${bytesInWords(excess - 1)}; too much to try`);
  else {
    const status = await send({ body: new Uint8Array(excess) });
    if (isRefused(status)) findings.tell('bucket.size', 'ok', `${status}`);
    else
      findings.tell(
        'bucket.size',
        'fail',
        `${bytesInWords(excess)} get ${status}`,
        'this store does not keep to the signed length: put a quota in front of it (quota of createIngest())',
      );
  }
}

/** Puts the object, reads the answer as the page would, and puts it again. Resolves with what was stored. */
export async function checkUpload(
  upload: PresignedUpload,
  examination: Examination,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { findings, settings } = examination;
  const body = probeFor(upload);
  if (!body) {
    findings.tell(
      'bucket.upload',
      'fail',
      `the upload is for ${upload.bytes ?? upload.maxBytes} bytes, which were not asked for`,
      'let maxUploadBytes be 1,024 at least',
    );
    return undefined;
  }
  const answer = await sendTo(upload, { body }, examination);
  checkBucketClock(upload, answer, examination);
  if (answer.status < 200 || answer.status > 299) {
    const code = /<Code>(\w{1,60})<\/Code>/.exec(answer.body.toString('latin1'))?.[1] ?? 'no code';
    findings.tell('bucket.upload', 'fail', `${answer.status} ${code}`, uploadAdvice(answer.status, code));
    return undefined;
  }
  examination.leftKeys.add(upload.key);
  findings.tell(
    'bucket.upload',
    'ok',
    `${answer.status}, ${bytesInWords(body.length)} in ${millisInWords(answer.millis)}`,
  );
  const reason = unreadable(answer, settings.origin);
  if (reason)
    findings.tell(
      'bucket.cors',
      'fail',
      reason,
      'set the CORS rules below; without it the SDK sends everything twice',
    );
  else findings.tell('bucket.cors', 'ok');

  const again = await sendTo(upload, { body }, examination);
  if (again.status === 412) findings.tell('bucket.write-once', 'ok', '412');
  else if (upload.method === 'POST')
    findings.tell(
      'bucket.write-once',
      'warn',
      `${again.status}: forms cannot be held to it everywhere`,
      'keys are random, and only the page that was given one can use it',
    );
  else
    findings.tell(
      'bucket.write-once',
      'fail',
      `${again.status}`,
      'this store does not know If-None-Match on PUT: what is stored can be overwritten by whoever has the URL',
    );
  return body;
}

/** The signer's clock is what counts for a signature, and the bucket is who measures it. */
function checkBucketClock(upload: PresignedUpload, answer: HttpAnswer, { findings }: Examination): void {
  const { signedAtMillis } = signatureOf(upload);
  const skew = skewOf(answer);
  if (signedAtMillis === undefined || skew === undefined) {
    findings.tell(
      'clock.bucket',
      'skip',
      signedAtMillis === undefined ? 'the URL does not say when it was signed' : 'the answer has no Date',
    );
    return;
  }
  const bucketMillis = answer.atMillis + skew;
  // The URL is some requests old by now: a signer that is right is behind by that much.
  const ahead = signedAtMillis - bucketMillis;
  const off = ahead > 0 ? ahead : Math.min(0, ahead + SKEW_WARN_MILLIS);
  if (Math.abs(off) < SKEW_WARN_MILLIS) findings.tell('clock.bucket', 'ok');
  else {
    const seen = `the signer is ${millisInWords(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} the bucket`;
    findings.tell(
      'clock.bucket',
      Math.abs(off) < SKEW_FAIL_MILLIS ? 'warn' : 'fail',
      seen,
      "set the clock of the endpoint's machine by NTP; stores refuse what is 15 minutes off",
    );
  }
}

function probeFor(upload: PresignedUpload): Uint8Array<ArrayBuffer> | undefined {
  const probe = makeProbe(Date.now());
  if (upload.bytes !== undefined) return padGzip(probe, upload.bytes);
  return upload.maxBytes !== undefined && probe.length > upload.maxBytes ? undefined : probe;
}

/** An answer, or a broken connection as status 0. */
async function sendTo(
  upload: PresignedUpload,
  sent: Sent,
  { ask, settings }: Examination,
): Promise<HttpAnswer> {
  const { headers, body } = bodyOf(upload, sent);
  try {
    return await ask(upload.url, {
      method: upload.method,
      headers: { origin: settings.origin, ...headers },
      body,
    });
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return {
      status: 0,
      headers: {},
      body: Buffer.from(error.message),
      truncated: false,
      millis: 0,
      atMillis: Date.now(),
    };
  }
}

function uploadAdvice(status: number, code: string): string {
  if (/Expired|TimeTooSkewed/.test(code))
    return "the clocks of signer and bucket differ: set the endpoint's by NTP";
  if (code === 'NoSuchBucket') return 'create the bucket, or mend `bucket` of s3()';
  if (/InvalidAccessKeyId|Unauthorized/.test(code)) return 'the access key of s3() is not one of this store';
  if (code === 'SignatureDoesNotMatch')
    return 'mend secretAccessKey and publicEndpoint of s3(): the host is signed';
  if (status === 403) return "give the endpoint's access key the right to write to this bucket";
  if (status === 0) return 'the bucket breaks the connection off: check publicEndpoint of s3()';
  return 'see the error codes of the store';
}
