const AMZ_DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** @param {Date} date */
const amzDate = (date) => date.toISOString().replace(/[:-]|\.\d{3}/g, '');

/**
 * Makes the real verifier see a presigned URL as late as a clock `shiftMillis` ahead would.
 *
 * The clock inside workerd cannot be set. But it checks the expiry before the signature, as R2 does, so a signing
 * time moved back draws its own `403 ExpiredRequest`. A URL still valid under the shifted clock stays as it is,
 * because its signature has to hold; so does anything that is not a presigned URL.
 *
 * @param {string} path Path and query as they came.
 * @param {Pick<import('./faults.mjs').Clock, 'shiftMillis' | 'signedBeforeMillis'>} clock
 * @param {number} now Epoch milliseconds.
 * @returns {string} The path to send on.
 */
export function agePresignedUrl(path, { shiftMillis, signedBeforeMillis = Infinity }, now) {
  const url = new URL(path, 'http://host');
  const query = url.searchParams;
  const fields = AMZ_DATE.exec(query.get('X-Amz-Date') ?? '')
    ?.slice(1)
    .map(Number);
  if (!fields) return path;
  const [year = 0, month = 0, ...rest] = fields;
  const signedAtMillis = Date.UTC(year, month - 1, ...rest);
  if (signedAtMillis >= signedBeforeMillis) return path;
  const expiresAtMillis = signedAtMillis + Number(query.get('X-Amz-Expires')) * 1000;
  if (now + shiftMillis <= expiresAtMillis) return path;
  const aged = amzDate(new Date(signedAtMillis - shiftMillis));
  query.set('X-Amz-Date', aged);
  // The day in the credential's scope has to agree, or the answer would be InvalidArgument.
  query.set(
    'X-Amz-Credential',
    (query.get('X-Amz-Credential') ?? '').replace(/\/\d{8}\//, `/${aged.slice(0, 8)}/`),
  );
  return url.pathname + url.search;
}
