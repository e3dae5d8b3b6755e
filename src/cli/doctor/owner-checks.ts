import { encodeStrictly } from '../../server/sigv4.js';
import { messageOf } from '../failure.js';
import { plural, printable } from '../printable.js';
import { askAsOwner } from './as-owner.js';
import { parseLifecycle } from './lifecycle.js';
import type { Examination } from './settings.js';

const NO_CREDENTIALS = 'no credentials of the bucket were given';

/** With credentials: whether the object is what was sent, and is stored as what it is. */
export async function checkReadBack(key: string, sent: Uint8Array, examination: Examination): Promise<void> {
  const { settings, findings } = examination;
  if (!settings.owned) {
    findings.skip('owner.read', NO_CREDENTIALS);
    findings.skip('owner.encoding', NO_CREDENTIALS);
    return;
  }
  let stored: Uint8Array | undefined;
  try {
    stored = await settings.owned.storage.get(key, { maxBytes: sent.length });
  } catch (error) {
    const advice = 'check the credentials that doctor was given, --s3-endpoint and --region';
    findings.fail('owner.read', printable(messageOf(error)), advice);
    return;
  }
  if (!stored) {
    const advice = "--bucket and --s3-endpoint name another bucket than the endpoint's";
    findings.fail('owner.read', 'it is not in this bucket', advice);
    return;
  }
  if (Buffer.from(stored).equals(sent)) findings.ok('owner.read');
  else
    findings.fail(
      'owner.read',
      'other bytes are stored than were sent',
      'something on the way changes bodies',
    );

  const path = `/${key.split('/').map(encodeStrictly).join('/')}`;
  const { headers } = await askAsOwner(settings.owned.options, examination.ask, 'HEAD', path);
  const [encoding, type] = [headers['content-encoding'], headers['content-type']];
  if (encoding) {
    const advice = 'leave contentEncoding of s3() out: R2 and GCS inflate such objects for some readers';
    findings.warn('owner.encoding', `Content-Encoding: ${printable(encoding)}`, advice);
    return;
  }
  if (type !== 'application/gzip') {
    const seen = `Content-Type: ${printable(type ?? 'absent')}`;
    findings.warn('owner.encoding', seen, 'store as application/gzip');
    return;
  }
  findings.ok('owner.encoding');
}

/** With credentials: whether what is old goes by itself. */
export async function checkLifecycle(prefix: string, examination: Examination): Promise<void> {
  const { settings, findings } = examination;
  if (!settings.owned) {
    findings.skip('bucket.lifecycle', NO_CREDENTIALS);
    return;
  }
  const { status, body } = await askAsOwner(settings.owned.options, examination.ask, 'GET', '?lifecycle=');
  const text = body.toString();
  const advice =
    'set the lifecycle rule below, or let --fix do it; whoever wants to keep all says --ignore bucket.lifecycle';
  if (status === 404 && text.includes('NoSuchLifecycleConfiguration')) {
    findings.warn(
      'bucket.lifecycle',
      'there is none: what visitors did is kept, and paid for, for ever',
      advice,
    );
    return;
  }
  if (status !== 200) {
    const code = /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? '';
    findings.skip('bucket.lifecycle', `the store does not tell: ${status} ${code}`.trim());
    return;
  }
  const days = parseLifecycle(text)
    .filter((rule) => rule.isEnabled && !rule.hasTags && `${prefix}/`.startsWith(rule.prefix))
    .map((rule) => rule.days)
    .filter((day) => day !== undefined);
  if (days.length) findings.ok('bucket.lifecycle', `after ${plural(Math.min(...days), 'day')}`);
  else findings.warn('bucket.lifecycle', `no rule deletes what is under ${printable(prefix)}/`, advice);
}

/** With credentials: deletes what doctor wrote, and nothing that is not that, byte by byte. Without, it stays. */
export async function removeProbes({ settings, findings, left }: Examination): Promise<void> {
  if (left.size === 0) return;
  if (!settings.owned) {
    findings.skip('owner.delete', `${NO_CREDENTIALS}: ${plural(left.size, 'object')} stay`);
    return;
  }
  const { storage } = settings.owned;
  try {
    for (const [key, bytes] of left) {
      const stored = await storage.get(key, { maxBytes: bytes.length });
      if (!stored || !Buffer.from(stored).equals(bytes)) continue;
      await storage.delete(key);
      if ((await storage.head(key)) === undefined) left.delete(key);
    }
  } catch (error) {
    const advice = 'let these credentials read and delete: forward with --after delete needs that too';
    findings.fail('owner.delete', printable(messageOf(error)), advice);
    return;
  }
  if (left.size === 0) {
    findings.ok('owner.delete');
    return;
  }
  const advice = 'they are not in this bucket, hold something else, or a rule of the bucket keeps them';
  findings.warn('owner.delete', `${plural(left.size, 'object')} could not be deleted`, advice);
}
