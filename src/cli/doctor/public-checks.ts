import type { DoctorSettings, Examination } from './settings.js';
import type { Upload } from './untrusted-answer.js';

/** Whether strangers get at what is in the bucket. */
export async function checkPublic(
  upload: Upload,
  { askForeign: ask, findings, settings }: Examination,
): Promise<void> {
  const places = addressOf(upload, settings);
  if (!places) {
    findings.skip('bucket.public', 'the address of the object cannot be told from the upload');
    return;
  }
  const object = await ask(places.object);
  if (object.status === 200) {
    const advice = 'turn public access off: everybody who guesses a key reads what visitors did';
    findings.fail('bucket.public', 'an unsigned GET of the object gets 200', advice);
  } else findings.ok('bucket.public', `${object.status}`);
  const list = await ask(`${places.bucket}?list-type=2&max-keys=1`);
  if (list.status === 200 && list.body.includes('<ListBucketResult')) {
    const advice = 'turn public access off: everybody can find all objects';
    findings.fail('bucket.public-list', 'an unsigned listing gets 200', advice);
  } else findings.ok('bucket.public-list', `${list.status}`);
}

/** Where the object is, without a signature. */
function addressOf(upload: Upload, settings: DoctorSettings): { object: string; bucket: string } | undefined {
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
