import { type HttpAnswer, HttpError } from '../http.js';
import { bytesInWords, millisInWords } from '../printable.js';
import { cureOf, INGEST_WORDS } from '../store-trouble.js';
import { SKEW_FAIL_MILLIS, SKEW_WARN_MILLIS, skewOf } from './clock.js';
import { unreadable } from './cors.js';
import { makeProbe, padGzip } from './probe.js';
import { bodyOf, type Sent } from './send-upload.js';
import type { Examination } from './settings.js';
import { signatureOf } from './signature.js';
import type { Upload } from './untrusted-answer.js';

/** Where a size is only bounded, a body over the bound is sent to see it refused, unless that is a large one. */
const MAX_EXCESS_BYTES = 1_048_576;

/** Whether an upload can be used in another way than it was meant. What is stored all the same is remembered. */
export async function checkMisuse(upload: Upload, examination: Examination): Promise<void> {
  const { findings } = examination;
  const body = probeFor(upload);
  if (!body) return;
  const statusOf = async (sent: Sent): Promise<number> => {
    const { status } = await send(upload, sent, examination);
    if (isTaken(status)) examination.left.set(upload.key, sent.body);
    return status;
  };
  const isRefused = (status: number): boolean => status >= 400 && status < 500 && status !== 412;
  const type = await statusOf({ body, contentType: 'text/html' });
  if (isRefused(type)) findings.ok('bucket.type', `${type}`);
  else findings.fail('bucket.type', `text/html gets ${type}`, 'sign content-type, as s3() does');

  const bound = upload.bytes ?? upload.maxBytes;
  if (bound === undefined) {
    findings.skip('bucket.size', 'no length is signed');
    return;
  }
  if (bound >= MAX_EXCESS_BYTES) {
    findings.skip('bucket.size', `${bytesInWords(bound)} are too much to try`);
    return;
  }
  const size = await statusOf({ body: new Uint8Array(bound + 1) });
  if (isRefused(size)) {
    findings.ok('bucket.size', `${size}`);
    return;
  }
  const advice = 'this store does not keep to the signed length: use `quota` of createIngest()';
  findings.fail('bucket.size', `${(bound + 1).toLocaleString('en')} bytes get ${size}`, advice);
}

/** Puts the object, reads the answer as the page would, and puts it again. Resolves with what was stored. */
export async function checkUpload(
  upload: Upload,
  examination: Examination,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { findings, settings } = examination;
  const body = probeFor(upload);
  if (!body) {
    const seen = `it is for ${upload.bytes ?? upload.maxBytes} bytes, which were not asked for`;
    findings.fail('bucket.upload', seen, 'let maxUploadBytes of createIngest() be 1,024 at least');
    return undefined;
  }
  const answer = await send(upload, { body }, examination);
  checkBucketClock(upload, answer, examination);
  if (!isTaken(answer.status)) {
    const code = /<Code>(\w{1,60})<\/Code>/.exec(answer.body.toString('latin1'))?.[1] ?? 'no code';
    findings.fail(
      'bucket.upload',
      `${answer.status} ${code}`,
      cureOf({ status: answer.status, code }, INGEST_WORDS),
    );
    return undefined;
  }
  examination.left.set(upload.key, body);
  const size = bytesInWords(body.length);
  findings.ok('bucket.upload', `${answer.status}, ${size} in ${millisInWords(answer.millis)}`);
  const reason = unreadable(answer, settings.origin);
  if (reason)
    findings.fail('bucket.cors', reason, 'set the CORS rules below; else the SDK sends all of it twice');
  else findings.ok('bucket.cors');

  checkWriteOnce(upload, (await send(upload, { body }, examination)).status, examination);
  return body;
}

function checkWriteOnce({ method }: Upload, status: number, { findings }: Examination): void {
  if (status === 412) {
    findings.ok('bucket.write-once', '412');
    return;
  }
  const seen = `a second upload gets ${status}`;
  if (method === 'POST') {
    const advice = 'forms cannot be held to it; only who was given one can use it, until it expires';
    findings.warn('bucket.write-once', seen, advice);
    return;
  }
  const advice = 'this store passes over If-None-Match: whoever has a URL can overwrite, until it expires';
  findings.fail('bucket.write-once', seen, advice);
}

/** The signer's clock is what counts for a signature, and the bucket is who measures it. */
function checkBucketClock(upload: Upload, answer: HttpAnswer, { findings }: Examination): void {
  const { signedAtMillis } = signatureOf(upload);
  const skew = skewOf(answer);
  if (signedAtMillis === undefined) {
    findings.skip('clock.bucket', 'the upload does not say when it was signed');
    return;
  }
  if (skew === undefined) {
    findings.skip('clock.bucket', 'the answer has no Date');
    return;
  }
  const ahead = signedAtMillis - (answer.atMillis + skew);
  // Some requests have passed since: a signer that is right is behind by as much.
  const off = ahead > 0 ? ahead : Math.min(0, ahead + SKEW_WARN_MILLIS);
  if (Math.abs(off) < SKEW_WARN_MILLIS) {
    findings.ok('clock.bucket');
    return;
  }
  const seen = `the signer is ${millisInWords(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} the bucket`;
  const advice = "set the clock of the endpoint's machine by NTP; stores refuse what is 15 minutes off";
  if (Math.abs(off) < SKEW_FAIL_MILLIS) findings.warn('clock.bucket', seen, advice);
  else findings.fail('clock.bucket', seen, advice);
}

function probeFor(upload: Upload): Uint8Array<ArrayBuffer> | undefined {
  const probe = makeProbe(Date.now());
  if (upload.bytes !== undefined) return padGzip(probe, upload.bytes);
  return upload.maxBytes !== undefined && probe.length > upload.maxBytes ? undefined : probe;
}

/** An answer, or a broken connection as status 0. */
async function send(
  upload: Upload,
  sent: Sent,
  { askForeign: ask, settings }: Examination,
): Promise<HttpAnswer> {
  const { headers, body } = bodyOf(upload, sent);
  const { method, url } = upload;
  try {
    return await ask(url, { method, headers: { origin: settings.origin, ...headers }, body });
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const nothing = { status: 0, headers: {}, truncated: false, millis: 0 };
    return { ...nothing, body: Buffer.from(error.message), atMillis: Date.now() };
  }
}

const isTaken = (status: number): boolean => status >= 200 && status < 300;
