/** Whether the bucket takes uploads as they are meant, in no other way, and gives nothing to strangers. */
import { type HttpAnswer, HttpError } from '../http.js';
import { bytesInWords, millisInWords } from '../printable.js';
import { cureOf, INGEST_WORDS, storeCodeIn } from '../store-trouble.js';
import { namesToAsk, preflight, refusedPreflight, unreadable } from './cors.js';
import { probeFor } from './probe.js';
import { bodyOf, type Sent } from './send-upload.js';
import { signatureOf } from './signature.js';
import { decoded, type Upload } from './untrusted-answer.js';
import {
  type Check,
  check,
  type DoctorSettings,
  FOREIGN_ORIGIN,
  fail,
  keyOf,
  ofClock,
  ok,
  SKEW_WARN_MILLIS,
  skewOf,
  skip,
  uploadOf,
  type World,
  warn,
} from './world.js';

/** Where a size is only bounded, a body over the bound is sent to see it refused, unless that is a large one. */
const MAX_EXCESS_BYTES = 1_048_576;

const isTaken = (status: number): boolean => status >= 200 && status < 300;

/** The one that must not be usable in the wrong way, and a body for it. */
const unusedOf = (world: World): { upload: Upload; body: Uint8Array<ArrayBuffer> } | undefined => {
  const upload = uploadOf(world) && world.issued?.uploads[2];
  const body = upload && probeFor(upload);
  return body && { upload, body };
};
/** The one that was used. */
const storedOf = (world: World): Upload | undefined => (world.sent ? uploadOf(world) : undefined);

export const BUCKET_CHECKS = {
  'bucket.preflight': check(
    "the bucket's CORS rules let the page upload",
    uploadOf,
    async (upload, world) => {
      const names = namesToAsk(upload.headers);
      const { method } = upload;
      if (method === 'POST' && names.length === 0) return skip('a form needs none');
      const { origin } = world.settings;
      const seen = `${method} with ${names.join(', ')}`;
      const refusal = await refusalOf(upload, origin, names, world);
      if (!refusal) return ok(seen);
      const advice = 'set the CORS rules below, or let --fix do it';
      return fail(`${seen}: ${refusal}${await reasonOf(upload, origin, names, world)}`, advice);
    },
  ),

  'bucket.preflight-foreign': check('and other sites not', uploadOf, async (upload, world) => {
    const names = namesToAsk(upload.headers);
    if (upload.method === 'POST' && names.length === 0) return skip('a form needs none');
    if (await refusalOf(upload, FOREIGN_ORIGIN, names, world)) return ok();
    const advice = 'name your own origins in the CORS rules, not *';
    return warn('every site may use a URL that it got hold of', advice);
  }),

  'bucket.type': check('another content type is refused', unusedOf, async ({ upload, body }, world) => {
    const status = await misuse(upload, { body, contentType: 'text/html' }, world);
    if (isRefused(status)) return ok(`${status}`);
    return fail(`text/html gets ${status}`, 'sign content-type, as s3() does');
  }),

  'bucket.size': check('another length is refused', unusedOf, async ({ upload }, world) => {
    const bound = upload.bytes ?? upload.maxBytes;
    if (bound === undefined) return skip('no length is signed');
    if (bound >= MAX_EXCESS_BYTES) return skip(`${bytesInWords(bound)} are too much to try`);
    const status = await misuse(upload, { body: new Uint8Array(bound + 1) }, world);
    if (isRefused(status)) return ok(`${status}`);
    const advice = 'this store does not keep to the signed length: use `quota` of createIngest()';
    return fail(`${(bound + 1).toLocaleString('en')} bytes get ${status}`, advice);
  }),

  'bucket.upload': check('an upload is taken', uploadOf, async (upload, world) => {
    const body = probeFor(upload);
    if (!body) {
      const seen = `it is for ${upload.bytes ?? upload.maxBytes} bytes, which were not asked for`;
      return fail(seen, 'let maxUploadBytes of createIngest() be 1,024 at least');
    }
    world.uploaded = await send(upload, { body }, world);
    const { status, body: said, millis } = world.uploaded;
    if (isTaken(status)) {
      world.left.set(keyOf(upload, world), body);
      world.sent = body;
      return ok(`${status}, ${bytesInWords(body.length)} in ${millisInWords(millis)}`);
    }
    const code = storeCodeIn(said) ?? 'no code';
    return fail(`${status} ${code}`, cureOf({ status, code }, INGEST_WORDS));
  }),

  /** The signer's clock is what counts for a signature, and the bucket is who measures it. */
  'clock.bucket': check(
    "the signer's clock agrees with the bucket's",
    ({ uploaded }) => uploaded,
    (answer, { issued }) => {
      const [upload] = issued?.uploads ?? [];
      const { signedAtMillis } = upload ? signatureOf(upload) : {};
      if (signedAtMillis === undefined) return skip('the upload does not say when it was signed');
      const skew = skewOf(answer);
      if (skew === undefined) return skip('the answer has no Date');
      const ahead = signedAtMillis - (answer.atMillis + skew);
      // Some requests have passed since: a signer that is right is behind by as much.
      const off = Math.abs(ahead > 0 ? ahead : Math.min(0, ahead + SKEW_WARN_MILLIS));
      const seen = `the signer is ${millisInWords(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} the bucket`;
      const advice = "set the clock of the endpoint's machine by NTP; stores refuse what is 15 minutes off";
      return ofClock(off, seen, advice);
    },
  ),

  'bucket.cors': check('pages may read the answer', storedOf, (_, { uploaded, settings }) => {
    const reason = uploaded && unreadable(uploaded, settings.origin);
    return reason ? fail(reason, 'set the CORS rules below; else the SDK sends all of it twice') : ok();
  }),

  'bucket.write-once': check(
    'a second upload under the same key is refused',
    storedOf,
    async (upload, world) => {
      const { status } = await send(upload, { body: world.sent ?? new Uint8Array() }, world);
      if (status === 412) return ok('412');
      const seen = `a second upload gets ${status}`;
      if (upload.method === 'POST') {
        return warn(seen, 'forms cannot be held to it; only who was given one can use it, until it expires');
      }
      const advice =
        'this store passes over If-None-Match: whoever has a URL can overwrite, until it expires';
      return fail(seen, advice);
    },
  ),
} satisfies Record<string, Check>;

export const PUBLIC_CHECKS = {
  'bucket.public': check('strangers cannot read the object', storedOf, async (upload, world) => {
    const places = addressOf(upload, world);
    if (!places) return skip('the address of the object cannot be told from the upload');
    const { status } = await world.askForeign(places.object);
    if (status !== 200) return ok(`${status}`);
    const advice = 'turn public access off: everybody who guesses a key reads what visitors did';
    return fail('an unsigned GET of the object gets 200', advice);
  }),

  'bucket.public-list': check('strangers cannot list the bucket', storedOf, async (upload, world) => {
    const places = addressOf(upload, world);
    if (!places) return undefined;
    const { status, body } = await world.askForeign(`${places.bucket}?list-type=2&max-keys=1`);
    if (status !== 200 || !body.includes('<ListBucketResult')) return ok(`${status}`);
    const advice = 'turn public access off: everybody can find all objects';
    return fail('an unsigned listing gets 200', advice);
  }),
} satisfies Record<string, Check>;

async function refusalOf(
  { url, method }: Upload,
  origin: string,
  names: readonly string[],
  { askForeign }: World,
): Promise<string | undefined> {
  const answer = await askForeign(url, { method: 'OPTIONS', headers: preflight(origin, method, names) });
  return refusedPreflight(answer, origin, method, names);
}

/** A refusal does not say what it is about, so each header is asked for alone. */
async function reasonOf(upload: Upload, origin: string, names: string[], world: World): Promise<string> {
  if (await refusalOf(upload, origin, [], world)) return '; the origin or the method is in no rule';
  const refused: string[] = [];
  for (const name of names) if (await refusalOf(upload, origin, [name], world)) refused.push(name);
  return refused.length ? `; not in AllowedHeaders: ${refused.join(', ')}` : '';
}

const isRefused = (status: number): boolean => status >= 400 && status < 500 && status !== 412;

/** @returns the status. What is stored all the same is remembered. */
async function misuse(upload: Upload, sent: Sent, world: World): Promise<number> {
  const { status } = await send(upload, sent, world);
  if (isTaken(status)) world.left.set(keyOf(upload, world), sent.body);
  return status;
}

/** An answer, or a broken connection as status 0. */
async function send(upload: Upload, sent: Sent, { askForeign, settings }: World): Promise<HttpAnswer> {
  const { headers, body } = await bodyOf(upload, sent);
  const { method, url } = upload;
  try {
    return await askForeign(url, { method, headers: { origin: settings.origin, ...headers }, body });
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const nothing = { status: 0, headers: {}, truncated: false, millis: 0 };
    return { ...nothing, body: Buffer.from(error.message), atMillis: Date.now() };
  }
}

/** Where the object is, without a signature. */
function addressOf(upload: Upload, world: World): { object: string; bucket: string } | undefined {
  const { origin, pathname } = new URL(upload.url);
  const key = keyOf(upload, world);
  const path = key.split('/').map(encodeURIComponent).join('/');
  if (upload.method === 'PUT') {
    // Some encode `=` and some do not.
    if (!decoded(pathname).endsWith(`/${key}`)) return undefined;
    const base = origin + pathname.split('/').slice(0, -key.split('/').length).join('/');
    return { object: `${base}/${path}`, bucket: `${base}${base === origin ? '/' : ''}` };
  }
  const { owned }: DoctorSettings = world.settings;
  const base = owned ? `${owned.options.endpoint}/${owned.options.bucket}` : origin + pathname;
  const bucket = base.replace(/\/$/, '');
  return { object: `${bucket}/${path}`, bucket };
}
