/** Bodies that broke somebody's server once, for whatever reads bodies of strangers. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';

const MIB = 1_048_576;
const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const gzip = (content: string | Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(gzipSync(content));
const GOOD = gzip('{"resourceSpans":[]}');
/** What gzip cannot make smaller than 80 kB, so that the rest may be large. */
const NOISE = randomBytes(80_000).toString('base64');
const joined = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts));

/** By what is wrong with them: JSON for an exchange. */
export const HOSTILE_JSON: Record<string, Uint8Array<ArrayBuffer>> = {
  nothing: bytes(''),
  'white space': bytes(' '.repeat(60_000)),
  'a byte order mark': bytes('\ufeff{"v":1}'),
  'UTF-16': new Uint8Array(Buffer.from('{"v":1}', 'utf16le')),
  'half a character': Uint8Array.of(0x7b, 0x22, 0xc3),
  'an overlong slash': Uint8Array.of(0x22, 0xc0, 0xaf, 0x22),
  'a lone surrogate': bytes('{"v":1,"client":"\\ud800","project":"\\udfff"}'),
  'arrays for ever': bytes('['.repeat(65_000)),
  'deep arrays': bytes(`{"v":1,"x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
  'deep objects': bytes(`${'{"v":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
  'many arrays': bytes(`{"v":1,"x":[${'[],'.repeat(20_000)}0]}`),
  'a long array': bytes(`{"v":1,"confirm":[${'"",'.repeat(20_000)}""]}`),
  'a long number': bytes(`{"v":1,"want":${'9'.repeat(60_000)}}`),
  'a number past all': bytes('{"v":1,"want":1e400}'),
  'minus nothing': bytes('{"v":1,"want":-0}'),
  'one name many times': bytes(`{${'"v":2,'.repeat(8_000)}"v":1,"want":1}`),
  'many names': bytes(`{"v":1,"lost":{${Array.from({ length: 5_000 }, (_, n) => `"a${n}":1`).join()}}}`),
  'a prototype': bytes('{"v":1,"__proto__":{"want":5},"constructor":{"prototype":{"want":5}}}'),
  'a prototype in lists': bytes('{"v":1,"stored":[{"__proto__":{"key":"x"}}],"page":{"__proto__":{}}}'),
  'a length of its own': bytes('{"v":1,"stored":{"length":1e9}}'),
  'a path for a project': bytes('{"v":1,"want":1,"project":"../../../etc/passwd"}'),
  'a URL for a project': bytes('{"v":1,"want":1,"project":"https://169.254.169.254/latest"}'),
  'line ends': bytes('{"v":1,"want":1,"project":"a\\r\\nSet-Cookie: a=b","client":"x\\r\\nX: y"}'),
  HTML: bytes('{"v":1,"want":1,"project":"<script>alert(1)</script>"}'),
  'NUL in names': bytes('{"v":1,"want":1,"project":"default\\u0000evil"}'),
  'paths for tokens': bytes('{"v":1,"renew":["../../x","otlp/v1/default","%2e%2e"]}'),
  'long tokens': bytes(`{"v":1,"renew":["1.${'A'.repeat(1_000)}.A"]}`),
  'dots for tokens': bytes(`{"v":1,"renew":["${'.'.repeat(1_000)}"]}`),
  'absurd lengths': bytes('{"v":1,"want":3,"sizes":[9007199254740991,0,1]}'),
  'too much of all': bytes(`{"v":1,"stored":[${'{},'.repeat(9_000)}{}],"renew":[],"confirm":[]}`),
  'a form': bytes('v=1&want=5'),
  XML: bytes('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
  'two documents': bytes('{"v":1}{"v":1}'),
  'lines of JSON': bytes('{"v":1}\n{"v":1}'),
};

/** By what is wrong with them: gzip for a relay. */
export const HOSTILE_GZIP: Record<string, Uint8Array<ArrayBuffer>> = {
  nothing: bytes(''),
  'a header alone': GOOD.slice(0, 10),
  'no trailer': GOOD.slice(0, -8),
  'a wrong checksum': GOOD.map((byte, at) => (at === GOOD.length - 8 ? byte ^ 1 : byte)),
  'a wrong length': GOOD.map((byte, at) => (at === GOOD.length - 1 ? byte ^ 1 : byte)),
  'two members': joined(GOOD, GOOD),
  'something after': joined(GOOD, bytes('and more')),
  'zeros after': joined(GOOD, new Uint8Array(512)),
  'zeros and the length after': joined(GOOD, new Uint8Array(4), GOOD.slice(-4)),
  'zeros, the length, zeros and the length after': joined(
    GOOD,
    ...[new Uint8Array(4), GOOD.slice(-4), new Uint8Array(4), GOOD.slice(-4)],
  ),
  'a member of nothing before': joined(gzip(''), GOOD),
  'many members of nothing before': joined(...Array.from({ length: 50 }, () => gzip('')), GOOD),
  'the same member again, after nothing': joined(GOOD, gzip(''), GOOD),
  'a member of nothing after': joined(GOOD, gzip('')),
  'not deflate': joined(GOOD.slice(0, 10), new Uint8Array(50).fill(0xff)),
  'another method': GOOD.map((byte, at) => (at === 2 ? 7 : byte)),
  'reserved flags': GOOD.map((byte, at) => (at === 3 ? 0xe0 : byte)),
  'an extra field past the end': joined(
    GOOD.slice(0, 3),
    Uint8Array.of(4),
    GOOD.slice(4, 10),
    Uint8Array.of(0xff, 0xff),
  ),
  'a bomb': gzip(new Uint8Array(20 * MIB)),
  'a bomb of brackets': gzip('['.repeat(4 * MIB)),
  'a bomb of JSON': gzip(`{"resourceSpans":[${'[],'.repeat(2 * MIB)}0]}`),
  'brackets within the ratio': gzip(
    `{"resourceSpans":[],"pad":"${NOISE}","x":[${'[],'.repeat(2.4 * MIB)}0]}`,
  ),
  'depth within the ratio': gzip(
    `{"resourceSpans":[],"pad":"${NOISE}","x":${'['.repeat(3.5 * MIB)}${']'.repeat(3.5 * MIB)}}`,
  ),
  'a bomb in a bomb': gzip(gzipSync(new Uint8Array(20 * MIB))),
  'lines of JSON': gzip('{"resourceSpans":[]}\n{"resourceSpans":[]}'),
  'a list': gzip('[{"resourceSpans":[]}]'),
  'no spans': gzip('{"resourceLogs":[]}'),
  'spans twice': gzip('{"resourceSpans":[],"resourceSpans":[]}'),
  'spans twice, once escaped': gzip('{"resourceSpans":[],"resource\\u0053pans":[]}'),
  'spans in something': gzip('{"x":{"resourceSpans":[]}}'),
  'a number for ever': gzip(`{"resourceSpans":[],"pad":"${NOISE}","x":${'1'.repeat(9 * MIB)}}`),
  'half an escape': gzip('{"resourceSpans":[],"x":"\\u12'),
  'spans that are none': gzip('{"resourceSpans":{"length":1}}'),
  'not UTF-8': gzip(Uint8Array.of(0x7b, 0xff, 0x7d)),
  zip: bytes('PK\u0003\u0004 and so on, and so on'),
  'an image': bytes('GIF89a and so on, and so on'),
};
