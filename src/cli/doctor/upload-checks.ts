/** What the uploads that an endpoint issues say of themselves, before any of them is used; and its relay. */
import { isInnerHost } from '../hosts.js';
import { bytesInWords, millisInWords, printable } from '../printable.js';
import { exchange, newId, relayUrl } from './exchange.js';
import { makeProbe, PROBE_BYTES } from './probe.js';
import { signatureOf } from './signature.js';
import { errorCodeOf, type Issued, jsonRecordOf, readIssued } from './untrusted-answer.js';
import { type Check, check, fail, keyOf, ok, skip, uploadOf, type World, warn } from './world.js';

/** A stolen URL is worth this long. */
const LONG_LIFE_MILLIS = 3_600_000;
export const INNER_ADVICE = 'set publicEndpoint of s3() to where browsers reach the store';
const LAYOUT = /\/year=\d{4}\/month=\d\d\/day=\d\d\/hour=\d\d\/minute=\d\d\/traces_[^/]+\.json\.gz$/;

const issuedOf = ({ issued, isStopped }: World): Issued | undefined => (isStopped ? undefined : issued);
/** The relay has an id of its own among the uploads; where there are none, it is all that there is. */
const relayIdOf = (world: World): string | undefined => {
  const { uploads = [], isPaused } = issuedOf(world) ?? {};
  if (uploads.length > 0) return uploads[1]?.id;
  return isPaused === false ? newId() : undefined;
};

export const UPLOAD_CHECKS = {
  'upload.issued': check('it issues presigned uploads', issuedOf, ({ uploads, isRelayOnly, isPaused }) => {
    if (uploads.length > 0) return ok(`${uploads.length}`);
    if (isRelayOnly) return skip('the store takes nothing from outside; the relay does');
    if (isPaused) return skip('paused');
    return fail('none', 'set maxUploads of createIngest() to 1 or more, or look at its quota');
  }),

  /** An endpoint that is not ours could point at our own network: nothing is sent there. */
  'upload.url': check('they can be used from here', issuedOf, ({ uploads }, world) => {
    const [upload, ...others] = uploads;
    if (!upload) return undefined;
    const { origin, hostname, protocol } = new URL(upload.url);
    world.isStopped = true;
    if (others.some(({ url }) => new URL(url).origin !== origin)) {
      return fail('one answer names several hosts', 'let all uploads go to one store');
    }
    world.bucketOrigin = origin;
    // What only its address shows is found out at connecting.
    if (isInnerHost(hostname) && !world.isInner) {
      return fail(`${origin} is an address of a private network`, INNER_ADVICE);
    }
    if (protocol === 'http:' && world.settings.origin.startsWith('https:')) {
      const advice = 'set publicEndpoint of s3() to an https: address; an https: page cannot send to http:';
      return fail(origin, advice);
    }
    world.isStopped = false;
    world.isUsable = true;
    return ok(`${upload.method} ${origin}`);
  }),

  'upload.key': check('keys have the layout that readers list', uploadOf, ({ key }) => {
    if (LAYOUT.test(key)) return ok();
    return warn(printable(key), 'readers look for year=…/…/traces_….json.gz');
  }),

  'upload.lifetime': check('they do not last too long', uploadOf, (upload) => {
    const lifetime = signatureOf(upload).lifetimeMillis ?? upload.expiresInMs;
    if (lifetime <= LONG_LIFE_MILLIS) return ok(millisInWords(lifetime));
    const advice = 'lower urlExpirySeconds of createIngest(); clients renew by themselves';
    return warn(millisInWords(lifetime), advice);
  }),

  /** GCS has a header of its own for write-once; a form has none. */
  'upload.signed': check('type and write-once are signed', uploadOf, (upload) => {
    const { names } = signatureOf(upload);
    const isOnce = names.some((name) => /^(if-none-match|x-goog-if-generation-match)$/.test(name));
    const missing = [
      ...(names.includes('content-type') ? [] : ['content-type']),
      ...(upload.method === 'POST' || isOnce ? [] : ['if-none-match']),
    ];
    if (missing.length === 0) return ok(names.join(', '));
    const advice = 'sign them, as s3() does: else a page may put what it likes, or overwrite';
    return fail(`not signed: ${missing.join(', ')}`, advice);
  }),

  'upload.size': check('the size is bounded', uploadOf, (upload) => {
    const { names, maxBytes } = signatureOf(upload);
    const isSigned =
      maxBytes !== undefined ||
      names.some((name) => /^(content-length|x-goog-content-length-range)$/.test(name));
    const bound = upload.bytes ?? upload.maxBytes ?? maxBytes;
    if (isSigned && bound !== undefined) {
      return ok(`${upload.bytes === undefined ? 'at most' : 'exactly'} ${bytesInWords(bound)}`);
    }
    return warn('a URL takes a body of any length, gigabytes too', 'set maxUploadBytes of createIngest()');
  }),

  'relay.store': check('the relay stores', relayIdOf, async (id, world) => {
    const { endpoint, origin, project } = world.settings;
    const body = makeProbe(Date.now());
    const url = relayUrl(endpoint, id, project);
    const answer = await world.ask(url, { method: 'POST', headers: { origin }, body });
    const said = answer.status === 200 ? jsonRecordOf(answer.body) : undefined;
    if (said?.['id'] === id && typeof said['key'] === 'string') {
      world.left.set(said['key'], body);
      world.relayed = { id, key: said['key'] };
      return ok();
    }
    const advice =
      'pages whose visitors block the bucket, and those that leave early, lose what they have: look at onError';
    return fail(`${answer.status} ${errorCodeOf(answer.body) ?? ''}`.trim(), advice);
  }),
} satisfies Record<string, Check>;

/** Ids of what is stored. */
const storedOf = ({ sent, issued, relayed, isStopped }: World): string[] | undefined => {
  const ids = [...(sent ? [issued?.uploads[0]?.id ?? ''] : []), ...(relayed ? [relayed.id] : [])];
  return ids.length > 0 && !isStopped ? ids : undefined;
};

export const CONFIRM_CHECKS = {
  'relay.confirm': check(
    'the endpoint knows what is stored and what is not',
    storedOf,
    async (stored, world) => {
      const unused = world.issued?.uploads[2];
      const missing = unused && !world.left.has(keyOf(unused, world)) ? [unused.id] : [];
      const all = [...stored, ...missing];
      const wants = all.map((id) => ({ id, bytes: PROBE_BYTES, again: true as const }));
      const { status, body } = await exchange(world, wants);
      const issued = status === 200 ? readIssued(body) : errorCodeOf(body);
      if (issued === undefined || typeof issued === 'string') {
        return fail(`${status} ${issued ?? ''}`.trim(), 'look at onError of createIngest()');
      }
      const given = new Set(issued.uploads.map(({ id }) => id));
      const wrong = [
        ...stored.filter((id) => !issued.stored.includes(id)),
        // Where uploads are given, one for what is not there.
        ...missing.filter((id) => !given.has(id)),
      ];
      if (wrong.length === 0) return ok();
      const advice =
        "give the endpoint's access key the right to read and to list (on S3 s3:GetObject and s3:ListBucket)";
      return fail(`${wrong.length} of ${all.length} answers are wrong or missing`, advice);
    },
  ),
} satisfies Record<string, Check>;
