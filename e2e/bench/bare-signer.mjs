// The least that presigning can cost: SigV4 in the query, with the day's key imported once, for one kind of request.

const encoder = new TextEncoder();
const hex = (/** @type {ArrayBuffer} */ buffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const hmacKey = (/** @type {BufferSource} */ raw) =>
  crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
const hmac = async (/** @type {BufferSource} */ raw, /** @type {string} */ text) =>
  crypto.subtle.sign('HMAC', await hmacKey(raw), encoder.encode(text));

/**
 * @param {{ host: string, bucket: string, accessKeyId: string, secretAccessKey: string, region: string }} store
 */
export function createBareSigner({ host, bucket, accessKeyId, secretAccessKey, region }) {
  let day = '';
  /** @type {CryptoKey | undefined} */
  let key;

  return async (
    /** @type {string} */ objectKey,
    /** @type {number} */ expires,
    /** @type {number} */ atMillis,
  ) => {
    const time = new Date(atMillis).toISOString().replace(/[:-]|\.\d{3}/g, '');
    const date = time.slice(0, 8);
    if (date !== day || !key) {
      let bits = await hmac(encoder.encode(`AWS4${secretAccessKey}`), date);
      for (const part of [region, 's3', 'aws4_request']) bits = await hmac(bits, part);
      key = await hmacKey(bits);
      day = date;
    }
    const scope = `${date}/${region}/s3/aws4_request`;
    const path = `/${bucket}/${objectKey.split('/').map(encodeURIComponent).join('/')}`;
    const signed = 'content-type;host;if-none-match';
    const query =
      `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(`${accessKeyId}/${scope}`)}` +
      `&X-Amz-Date=${time}&X-Amz-Expires=${expires}&X-Amz-SignedHeaders=${encodeURIComponent(signed)}`;
    const canonical =
      `PUT\n${path}\n${query}\ncontent-type:application/gzip\nhost:${host}\nif-none-match:*\n\n${signed}\n` +
      'UNSIGNED-PAYLOAD';
    const digest = hex(await crypto.subtle.digest('SHA-256', encoder.encode(canonical)));
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`;
    const signature = hex(await crypto.subtle.sign('HMAC', key, encoder.encode(text)));
    return `https://${host}${path}?${query}&X-Amz-Signature=${signature}`;
  };
}
