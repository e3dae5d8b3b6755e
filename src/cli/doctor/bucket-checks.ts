import type { PresignedUpload } from '../../protocol.js';
import { signRequest } from '../../server/s3.js';
import { messageOf } from '../failure.js';
import type { HttpAnswer } from '../http.js';
import { printable } from '../printable.js';
import { parseLifecycle } from './lifecycle.js';
import type { DoctorSettings, Examination } from './settings.js';

/** Whether strangers get at what is in the bucket. */
export async function checkPublic(
  upload: PresignedUpload,
  { ask, findings, settings }: Examination,
): Promise<void> {
  const places = addressOf(upload, settings);
  if (!places) {
    findings.tell('bucket.public', 'skip', 'the address of the object cannot be told from the upload');
    return;
  }
  const object = await ask(places.object);
  if (object.status === 200) {
    const advice = 'turn public access off: everybody who guesses a key reads what visitors did';
    findings.tell('bucket.public', 'fail', 'an unsigned GET of the object gets 200', advice);
  } else findings.tell('bucket.public', 'ok', `${object.status}`);
  const list = await ask(`${places.bucket}?list-type=2&max-keys=1`);
  if (list.status === 200 && list.body.includes('<ListBucketResult')) {
    const advice = 'turn public access off: everybody can find all objects';
    findings.tell('bucket.public-list', 'fail', 'an unsigned listing gets 200', advice);
  } else findings.tell('bucket.public-list', 'ok', `${list.status}`);
}

/** Where the object is, without a signature. */
function addressOf(
  upload: PresignedUpload,
  settings: DoctorSettings,
): { object: string; bucket: string } | undefined {
  const { origin, pathname } = new URL(upload.url);
  const path = upload.key.split('/').map(encodeURIComponent).join('/');
  if (upload.method === 'PUT') {
    // Some encode `=` and some do not.
    if (!decoded(pathname).endsWith(`/${upload.key}`)) return undefined;
    const depth = upload.key.split('/').length;
    const base = origin + pathname.split('/').slice(0, -depth).join('/');
    return { object: `${base}/${path}`, bucket: `${base}${base === origin ? '/' : ''}` };
  }
  const base = (
    settings.owned ? `${settings.owned.options.endpoint}/${settings.owned.options.bucket}` : origin + pathname
  ).replace(/\/$/, '');
  return { object: `${base}/${path}`, bucket: base };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** With credentials: whether the object is what was sent, and is stored as what it is. */
export async function checkReadBack(key: string, sent: Uint8Array, examination: Examination): Promise<void> {
  const { settings, findings } = examination;
  if (!settings.owned) return;
  try {
    const stored = await settings.owned.storage.get(key, { maxBytes: sent.length });
    if (stored && Buffer.from(stored).equals(sent)) findings.tell('owner.read', 'ok');
    else if (stored)
      findings.tell(
        'owner.read',
        'fail',
        'other bytes are stored than were sent',
        'something on the way changes bodies',
      );
    else
      findings.tell(
        'owner.read',
        'fail',
        'it is not in this bucket',
        "--bucket and --s3-endpoint name another bucket than the endpoint's",
      );
  } catch (error) {
    findings.tell(
      'owner.read',
      'fail',
      printable(messageOf(error)),
      'check the credentials that doctor was given, and --s3-endpoint',
    );
    return;
  }
  const head = await askAsOwner('HEAD', `/${key.split('/').map(encodeURIComponent).join('/')}`, examination);
  const [encoding, type] = [head.headers['content-encoding'], head.headers['content-type']];
  if (encoding)
    findings.tell(
      'owner.encoding',
      'warn',
      `Content-Encoding: ${printable(encoding)}`,
      'leave contentEncoding of s3() out: R2 and GCS inflate such objects for some readers, which then fail on .gz',
    );
  else if (type !== 'application/gzip')
    findings.tell(
      'owner.encoding',
      'warn',
      `Content-Type: ${printable(type ?? 'absent')}`,
      'store as application/gzip',
    );
  else findings.tell('owner.encoding', 'ok');
}

/** With credentials: whether what is old goes by itself. */
export async function checkLifecycle(prefix: string, examination: Examination): Promise<void> {
  const { settings, findings } = examination;
  if (!settings.owned) return;
  const { status, body } = await askAsOwner('GET', '?lifecycle=', examination);
  const text = body.toString();
  if (status === 404 && text.includes('NoSuchLifecycleConfiguration')) {
    findings.tell(
      'bucket.lifecycle',
      'fail',
      'there is no rule: objects, and what visitors did, stay for ever',
      'set the lifecycle rules below',
    );
    return;
  }
  if (status !== 200) {
    const code = /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? '';
    findings.tell('bucket.lifecycle', 'skip', `the store does not tell: ${status} ${code}`.trim());
    return;
  }
  const rules = parseLifecycle(text).filter(
    (rule) => rule.isEnabled && prefix.startsWith(rule.prefix) && !rule.hasTags,
  );
  const days = rules.map((rule) => rule.days).filter((day) => day !== undefined);
  if (days.length) findings.tell('bucket.lifecycle', 'ok', `after ${Math.min(...days)} days`);
  else
    findings.tell(
      'bucket.lifecycle',
      'fail',
      `no rule deletes what is under ${printable(prefix)}`,
      'set the lifecycle rules below',
    );
}

/** With credentials: deletes what doctor wrote, and sees that it is gone. Without, it stays. */
export async function removeProbes({ settings, findings, leftKeys }: Examination): Promise<void> {
  if (leftKeys.size === 0) return;
  const keys = (): string => [...leftKeys].map((key) => printable(key, 300)).join(', ');
  if (!settings.owned) {
    findings.tell(
      'owner.delete',
      'skip',
      `no credentials: ${keys()} stay, with service.name spandrel-doctor`,
    );
    return;
  }
  try {
    for (const key of [...leftKeys]) {
      await settings.owned.storage.delete(key);
      if ((await settings.owned.storage.head(key)) === undefined) leftKeys.delete(key);
    }
  } catch (error) {
    findings.tell(
      'owner.delete',
      'fail',
      `${printable(messageOf(error))}; there are still ${keys()}`,
      'forward with --after delete needs the right to delete',
    );
    return;
  }
  if (leftKeys.size === 0) findings.tell('owner.delete', 'ok');
  else
    findings.tell(
      'owner.delete',
      'warn',
      `still there: ${keys()}`,
      'a lock or retention rule of the bucket keeps them',
    );
}

async function askAsOwner(
  method: 'GET' | 'HEAD',
  path: string,
  { settings, ask, now }: Examination,
): Promise<HttpAnswer> {
  const { options } = settings.owned as NonNullable<DoctorSettings['owned']>;
  const url = new URL(`${options.endpoint.replace(/\/+$/, '')}/${options.bucket}${path}`);
  const identity = { ...options, region: options.region ?? 'auto' };
  const signed = await signRequest(identity, {
    method,
    url,
    headers: {},
    atMillis: now(),
    signingKeys: new Map(),
  });
  return ask(signed.url, { method, headers: Object.fromEntries(signed.headers) });
}
