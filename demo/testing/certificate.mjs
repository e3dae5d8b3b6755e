import { generate } from 'selfsigned';

/**
 * A certificate for the loopback interface, made now and trusted by nobody.
 *
 * @returns {Promise<import('../mock-r2/listen.mjs').Tls>}
 */
export async function makeCertificate() {
  const names = [
    { type: /** @type {const} */ (2), value: 'localhost' },
    { type: /** @type {const} */ (7), ip: '127.0.0.1' },
  ];
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    // Whoever checks it goes by the machine's clock, wherever `Date` has been moved to.
    notBeforeDate: new Date(performance.timeOrigin),
    extensions: [{ name: 'subjectAltName', altNames: names }],
  });
  return { key, cert };
}
