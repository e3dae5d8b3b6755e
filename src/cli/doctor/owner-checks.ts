/** With credentials of the bucket: whether all is stored as it should be, and goes again. */
import { checkS3Options } from '../../server/s3-options.js';
import { encodeStrictly } from '../../server/sigv4.js';
import { messageOf } from '../failure.js';
import type { Ask, HttpAnswer } from '../http.js';
import { plural, printable } from '../printable.js';
import { storeCodeIn } from '../store-trouble.js';
import { parseLifecycle } from './bucket-rules.js';
import type { Upload } from './untrusted-answer.js';
import {
  type Check,
  check,
  type DoctorSettings,
  fail,
  keyOf,
  ok,
  prefixOf,
  skip,
  uploadOf,
  type World,
  warn,
} from './world.js';

const NO_CREDENTIALS = 'no credentials of the bucket were given';

const storedOf = (world: World): Upload | undefined => (world.sent ? uploadOf(world) : undefined);

/** One request with the bucket's credentials. @param path what follows the bucket's address, query included. */
export async function askAsOwner(
  { options }: NonNullable<DoctorSettings['owned']>,
  ask: Ask,
  method: 'GET' | 'HEAD' | 'PUT',
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<HttpAnswer> {
  const { address, signer } = checkS3Options(options);
  const url = new URL(address + path);
  const signed = await signer.signHeaders({ method, url, headers });
  return ask(url, { method, headers: signed, ...(body === undefined ? {} : { body }) });
}

export const OWNER_CHECKS = {
  'owner.read': check('the object reads back as it was sent', storedOf, async (upload, world) => {
    const { sent = new Uint8Array(), settings } = world;
    if (!settings.owned) return skip(NO_CREDENTIALS);
    let stored: Uint8Array | undefined;
    try {
      stored = await settings.owned.storage.get(keyOf(upload, world), { maxBytes: sent.length });
    } catch (error) {
      const advice = 'check the credentials that doctor was given, --s3-endpoint and --region';
      return fail(printable(messageOf(error)), advice);
    }
    if (!stored) {
      const advice = "--bucket and --s3-endpoint name another bucket than the endpoint's";
      return fail('it is not in this bucket', advice);
    }
    world.isFound = true;
    if (Buffer.from(stored).equals(sent)) return ok();
    return fail('other bytes are stored than were sent', 'something on the way changes bodies');
  }),

  'owner.encoding': check('it is stored as gzip, not as encoded text', storedOf, async (upload, world) => {
    const { owned } = world.settings;
    if (!owned) return skip(NO_CREDENTIALS);
    if (!world.isFound) return undefined;
    const path = keyOf(upload, world).split('/').map(encodeStrictly).join('/');
    const { headers } = await askAsOwner(owned, world.ask, 'HEAD', `/${path}`);
    const { 'content-encoding': encoding, 'content-type': type = 'absent' } = headers;
    if (encoding) {
      const advice = 'leave contentEncoding of s3() out: R2 and GCS inflate such objects for some readers';
      return warn(`Content-Encoding: ${printable(encoding)}`, advice);
    }
    if (type === 'application/gzip') return ok();
    return warn(`Content-Type: ${printable(type)}`, 'store as application/gzip');
  }),

  /** Deletes what doctor wrote, and nothing that is not that, byte by byte. */
  'owner.delete': check(
    'what doctor wrote is gone again',
    ({ left }) => left.size > 0 && left,
    async (left, { settings: { owned } }) => {
      if (!owned) return skip(`${NO_CREDENTIALS}: ${plural(left.size, 'object')} stay`);
      const { storage } = owned;
      try {
        for (const [key, bytes] of left) {
          const stored = await storage.get(key, { maxBytes: bytes.length });
          if (!stored || !Buffer.from(stored).equals(bytes)) continue;
          await storage.delete(key);
          if ((await storage.head(key)) === undefined) left.delete(key);
        }
      } catch (error) {
        const advice = 'let these credentials read and delete: forward with --after delete needs that too';
        return fail(printable(messageOf(error)), advice);
      }
      if (left.size === 0) return ok();
      const advice = 'they are not in this bucket, hold something else, or a rule of the bucket keeps them';
      return warn(`${plural(left.size, 'object')} could not be deleted`, advice);
    },
  ),

  'bucket.lifecycle': check(
    'old objects are deleted by a rule',
    (world) => world,
    async (world) => {
      const { owned } = world.settings;
      if (!owned) return skip(NO_CREDENTIALS);
      const { status, body } = await askAsOwner(owned, world.ask, 'GET', '?lifecycle=');
      const text = body.toString();
      const advice =
        'set the lifecycle rule below, or let --fix do it; whoever wants to keep all says --ignore bucket.lifecycle';
      if (status === 404 && text.includes('NoSuchLifecycleConfiguration')) {
        return warn('there is none: what visitors did is kept, and paid for, for ever', advice);
      }
      if (status !== 200) {
        return skip(`the store does not tell: ${status} ${storeCodeIn(body) ?? ''}`.trim());
      }
      const prefix = prefixOf(world);
      const days = parseLifecycle(text)
        .filter((rule) => rule.isEnabled && !rule.hasTags && `${prefix}/`.startsWith(rule.prefix))
        .flatMap((rule) => rule.days ?? []);
      if (days.length) return ok(`after ${plural(Math.min(...days), 'day')}`);
      return warn(`no rule deletes what is under ${printable(prefix)}/`, advice);
    },
  ),
} satisfies Record<string, Check>;
