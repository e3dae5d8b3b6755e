import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeCors, mergeLifecycle } from './bucket-rules.js';

const WANTED = {
  AllowedOrigins: ['https://shop.example'],
  AllowedMethods: ['PUT'],
  AllowedHeaders: ['content-type', 'if-none-match'],
  ExposeHeaders: ['ETag'],
  MaxAgeSeconds: 86_400,
};
const rulesOf = (xml: string, tag: string): string[] =>
  Array.from(xml.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs')), ([, rule = '']) => rule);
const cors = (before?: string): string[] => rulesOf(mergeCors(before, WANTED), 'CORSRule');
const rule = (origin: string, more: string): string =>
  `<CORSRule><AllowedOrigin>${origin}</AllowedOrigin>${more}</CORSRule>`;

test('bucket rules: CORS of others stay to the letter, and ours comes first', () => {
  const other = rule('https://other.example', '<ID>a &amp; b</ID><AllowedMethod>GET</AllowedMethod>');
  const [own, ...rest] = cors(`<CORSConfiguration xmlns="x">${other}</CORSConfiguration>`);
  assert.deepEqual(rest, [other.slice('<CORSRule>'.length, -'</CORSRule>'.length)]);
  assert.match(own ?? '', /^<AllowedOrigin>https:\/\/shop\.example<.*<AllowedMethod>PUT<.*if-none-match/);
  assert.doesNotMatch(own ?? '', /GET/);
  assert.equal(cors().length, 1);
  assert.equal(cors('nonsense').length, 1);
});

test('bucket rules: what the origin may by other rules it may by ours, whether exact or by a pattern', () => {
  for (const pattern of ['https://shop.example', '*', 'https://*.example', 'https://shop.*', 'https:*']) {
    const [own = '', ...rest] = cors(
      rule(pattern, '<AllowedMethod>GET</AllowedMethod><AllowedHeader>x-a</AllowedHeader>'),
    );
    assert.match(own, /<AllowedMethod>PUT<\/AllowedMethod><AllowedMethod>GET</, pattern);
    assert.match(own, /<AllowedHeader>x-a</);
    // A rule that is for this origin alone is within ours now.
    assert.equal(rest.length, pattern === 'https://shop.example' ? 0 : 1);
  }
  for (const pattern of [
    'https://shop.example.evil',
    'http://shop.example',
    'https://*.other',
    'https://shop.example*shop.example',
  ]) {
    assert.doesNotMatch(cors(rule(pattern, '<AllowedMethod>GET</AllowedMethod>'))[0] ?? '', /GET/, pattern);
  }
  const once = mergeCors(undefined, WANTED);
  assert.equal(mergeCors(once, WANTED), once);
});

test('bucket rules: lifecycle rules of others stay, and ours takes the place of an earlier one', () => {
  const wanted = { id: 'spandrel', prefix: 'otlp/v1/', days: 30 };
  const lifecycle = (before?: string): string[] => rulesOf(mergeLifecycle(before, wanted), 'Rule');
  const own =
    '<ID>spandrel</ID><Filter><Prefix>otlp/v1/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration>';
  const abort =
    '<ID>d</ID><Filter><Prefix/></Filter><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>';
  assert.deepEqual(lifecycle(), [own]);
  assert.deepEqual(lifecycle(`<Rule>${abort}</Rule><Rule>${own.replace('30', '3')}</Rule>`), [abort, own]);
  // One that is called so and is for something else.
  const namesake = own.replace('otlp/v1/', 'logs/');
  assert.deepEqual(lifecycle(`<Rule>${namesake}</Rule>`), [
    namesake,
    own.replace('spandrel', 'spandrel otlp/v1/'),
  ]);
  // The older form.
  const old =
    '<ID>old</ID><Prefix>logs/</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration>';
  assert.deepEqual(lifecycle(`<Rule>${old}</Rule>`), [old, own.replaceAll(/<\/?Filter>/g, '')]);
  const twice = mergeLifecycle(mergeLifecycle(`<Rule>${namesake}</Rule>`, wanted), wanted);
  assert.equal(rulesOf(twice, 'Rule').length, 2);
});
