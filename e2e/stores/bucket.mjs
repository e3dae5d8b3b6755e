import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';

/** @typedef {import('./radosgw.mjs').Radosgw} Radosgw */

/**
 * What an operator does to a bucket beforehand, by a signer that is not ours.
 *
 * @param {Radosgw} radosgw
 * @param {string} name
 */
export async function createBucket({ origin, region, accessKeyId, secretAccessKey }, name) {
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 0 });
  /** @param {string} what @param {string} [xml] */
  const put = async (what, xml = '') => {
    const md5 = createHash('md5').update(xml).digest('base64');
    const response = await client.fetch(`${origin}/${name}${what}`, {
      method: 'PUT',
      body: xml,
      headers: { 'content-md5': md5 },
    });
    assert.ok(response.ok, `${response.status} ${await response.text()}`);
  };
  await put('');
  return {
    put,
    /** What the store answers, as text. @param {string} what such as `?cors` */
    async read(what) {
      return (await client.fetch(`${origin}/${name}${what}`)).text();
    },
    /** Options of `s3()`. */
    options: { endpoint: origin, bucket: name, region, accessKeyId, secretAccessKey },
    /**
     * What `aws s3api put-bucket-cors --cors-configuration file://cors.json` does.
     *
     * @param {import('./cors-settings.mjs').CorsConfiguration} configuration
     */
    setCors({ CORSRules }) {
      /** @param {string} tag @param {readonly (string | number)[]} values */
      const tags = (tag, values) => values.map((value) => `<${tag}>${value}</${tag}>`).join('');
      const rules = CORSRules.map(
        (rule) =>
          tags('AllowedOrigin', rule.AllowedOrigins) +
          tags('AllowedMethod', rule.AllowedMethods) +
          tags('AllowedHeader', rule.AllowedHeaders) +
          tags('ExposeHeader', rule.ExposeHeaders) +
          tags('MaxAgeSeconds', [rule.MaxAgeSeconds]),
      );
      return put('?cors', `<CORSConfiguration>${tags('CORSRule', rules)}</CORSConfiguration>`);
    },
    /**
     * What `aws s3api put-bucket-lifecycle-configuration` does, with rules that let objects expire.
     *
     * @param {{ Rules: { ID: string, Filter: { Prefix: string }, Expiration: { Days: number } }[] }} configuration
     */
    setLifecycle({ Rules }) {
      const rules = Rules.map(
        ({ ID, Filter, Expiration }) =>
          `<Rule><ID>${ID}</ID><Filter><Prefix>${Filter.Prefix}</Prefix></Filter><Status>Enabled</Status>` +
          `<Expiration><Days>${Expiration.Days}</Days></Expiration></Rule>`,
      );
      return put('?lifecycle', `<LifecycleConfiguration>${rules.join('')}</LifecycleConfiguration>`);
    },
  };
}

/**
 * Sends a presigned upload as a page does, and says how it went: `204`, or `403 AccessDenied`.
 *
 * @param {import('../../src/server.js').PresignedRequest} upload
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {{ headers?: Record<string, string | undefined>, fields?: Record<string, string | undefined> }} [changes]
 *   Undefined takes away.
 */
export async function send({ method, url, headers, fields = {} }, bytes, changes = {}) {
  /** @param {Record<string, string | undefined>} all */
  const given = (all) =>
    /** @type {[string, string][]} */ (Object.entries(all).filter(([, value]) => value !== undefined));
  /** @type {BodyInit} */
  let body = bytes;
  if (method === 'POST') {
    body = new FormData();
    for (const [name, value] of given({ ...fields, ...changes.fields })) body.append(name, value);
    body.append('file', new Blob([bytes]));
  }
  const response = await fetch(url, { method, headers: given({ ...headers, ...changes.headers }), body });
  const [, code = ''] = /<Code>(.*?)<\/Code>/.exec(await response.text()) ?? [];
  return `${response.status} ${code}`.trim();
}
