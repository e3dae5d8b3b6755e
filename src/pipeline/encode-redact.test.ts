import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAll, handMade, setUp, spansIn, TRACE_ID, type Tree } from '../testing/encoding.js';

/** One attribute's value as it is stored, from its only field. */
function stored(name: string, value: unknown, redaction = true): unknown {
  const { spans } = encodeAll([handMade({ attributes: { [name]: value } })], { redaction });
  const [attribute] = (spans[0]?.attributes ?? []) as unknown as { value: Tree }[];
  return plain(attribute?.value);
}

function plain(value: unknown): unknown {
  const [kind, content] = Object.entries(value ?? {})[0] ?? [];
  if (kind === 'arrayValue') return (content.values as unknown[]).map(plain);
  if (kind !== 'kvlistValue') return content;
  return Object.fromEntries(content.values.map((pair: Tree) => [pair.key, plain(pair.value)]));
}

const TEXTS: [name: string, text: string, expected: string][] = [
  ['url.full', 'https://u:p@h.test:8443/a?q=x%20y&b=#frag', 'https://h.test:8443/a?q=REDACTED&b=REDACTED'],
  ['url.full', 'https://u@:p@h.test/', 'https://h.test/'],
  ['url.full', 'https://h.test/@scope/a@1.2', 'https://h.test/@scope/a@1.2'],
  ['url.full', 'https://h.test/a?flag&q=1;2', 'https://h.test/a?flag&q=REDACTED'],
  ['url.full', `https://h.test/?${'x'.repeat(41)}`, 'https://h.test/?REDACTED'],
  ['url.full', `https://h.test/?${'x'.repeat(41)}&a=1`, 'https://h.test/?REDACTED&a=REDACTED'],
  ['url.full', 'https://h.test/?a=b=c?d=e', 'https://h.test/?a=REDACTED'],
  ['http.url', '//u:p@h.test/x#y', '//h.test/x'],
  ['http.target', '/find?name=John Smith&x=1', '/find?name=REDACTED&x=REDACTED'],
  ['pageUrl', '/find?name=John Smith', '/find?name=REDACTED'],
  ['url.query', 'a=secret&b=c', 'a=REDACTED&b=REDACTED'],
  ['url.fragment', 'access', 'REDACTED'],
  ['url.template', '/#/product/:id', '/#/product/:id'],
  [
    'note',
    'GET https://u:p@h.test/a?t=s#f and wss://h.test/?k=v',
    'GET https://h.test/a?t=REDACTED and wss://h.test/?k=REDACTED',
  ],
  ['note', 'went from "/cart#email=a" to /b?c=d', 'went from "/cart to /b?c=REDACTED'],
  ['target', 'html>body>button#buy.primary', 'html>body>button#buy.primary'],
  ['note', 'issue #12 of a@b.test, ok?', 'issue #12 of a@b.test, ok?'],
  ['note', '{"next":"/a?token=x","q":1}', '{"next":"/a?token=REDACTED'],
  [
    'exception.stacktrace',
    'Error: /x?t=1:2:3\n    at f (https://h.test/a.js?v=8:10:5)\ng@https://h.test/b.js#s:1:2',
    'Error: /x?t=REDACTED:2:3\n    at f (https://h.test/a.js?v=REDACTED:10:5)\ng@https://h.test/b.js:1:2',
  ],
  ['user.password', 'hunter2', 'REDACTED'],
];
for (const [name, text, expected] of TEXTS) {
  test(`redaction: ${name} ${text.slice(0, 60)}`, () => {
    assert.equal(stored(name, text), expected);
    assert.equal(stored(name, expected), expected, 'once more changes nothing');
    assert.equal(stored(name, text, false), text, 'turned off');
  });
}

const SECRETS = [
  ...['password', 'db.passwd', 'userPassword', 'PWD', 'pass_phrase', 'client_secret', 'clientSecret'],
  ...['token', 'accessToken', 'session_token', 'sessionToken', 'csrf-token', 'jwt', 'user.jwt'],
  ...[
    'http.request.header.authorization',
    'Proxy-Authorization',
    'Cookie',
    'http.response.header.set-cookie',
  ],
  ...['apiKey', 'api_key', 'x-api-key', 'APIKEY', 'accessKey', 'privateKey', 'credentials'],
  ...['creditCard', 'credit_card_number', 'card-number', 'cvv', 'CVC2', 'ssn', 'user.ssn'],
];
const HARMLESS = [
  ...['session.id', 'session.previous_id', 'spandrel.session.started_at', 'code.className', 'businessName'],
  ...['processName', 'key', 'code.function.name', 'author', 'passed', 'compass', 'bypass', 'cardinality'],
];
test('redaction: names of secrets, however they are written', () => {
  for (const name of SECRETS) {
    assert.equal(stored(name, 'x1'), 'REDACTED', name);
    assert.equal(stored(name, 4111), 'REDACTED', name);
    assert.equal(stored(name, ['a', 'b']), 'REDACTED', name);
    assert.equal(stored(name, true), true, name);
  }
  for (const name of HARMLESS) assert.equal(stored(name, 'x1'), 'x1', name);
});

test('redaction: counts of tokens are none, lists of tokens are', () => {
  assert.equal(stored('gen_ai.usage.input_tokens', 12), '12');
  assert.deepEqual(stored('auth_tokens', ['a']), ['REDACTED']);
});

test('redaction: lists, maps, and what has toJSON', () => {
  assert.deepEqual(stored('links', ['/a?b=c', 'd']), ['/a?b=REDACTED', 'd']);
  const map = { url: new URL('https://u:p@h.test/?q=s'), deep: { password: 'x', list: ['/?a=b'] } };
  assert.deepEqual(stored('map', map), {
    url: 'https://h.test/?q=REDACTED',
    deep: { password: 'REDACTED', list: ['/?a=REDACTED'] },
  });
});

test('redaction: names, events, links, status, resource and scope; the summary says no more', () => {
  const bad = { text: 'https://u:p@h.test/?q=planted#planted', password: 'planted', list: ['/?a=planted'] };
  const span = handMade({
    name: 'GET /a?q=planted',
    attributes: bad,
    events: [{ time: [1_790_000_000, 6], name: 'saw /?e=planted', attributes: bad }],
    links: [{ context: handMade().spanContext(), attributes: bad }],
    status: { code: 2, message: 'no https://planted@h.test/?q=planted#planted' },
    resource: { attributes: bad },
    instrumentationScope: { name: 'tests', attributes: bad },
  });
  const { trace, dropped } = encodeAll([span]);
  assert.deepEqual(dropped, {});
  assert.doesNotMatch(JSON.stringify(trace), /planted/);
  assert.equal(trace?.summary.rootName, 'GET /a?q=REDACTED');
  assert.equal(trace?.json.match(/https:\/\/h\.test\/\?q=REDACTED"/g)?.length, 6);
});

test('redaction: takes linear time whatever the text', () => {
  const size = 200_000;
  const parts = ['?', '&', '//', 'a=', '#', '@', '?a', ':1', '(', '"/', ' ?=', 'x', '//@', '1:1'];
  // Of this process, which others on the machine do not make longer; what is not linear takes minutes.
  const before = process.cpuUsage();
  for (const part of parts) {
    for (const name of ['url.full', 'note', 'exception.stacktrace', 'url.query']) {
      stored(name, part.repeat(size / part.length));
      stored(name, `?${part.repeat(size / part.length)}`);
    }
  }
  const { user } = process.cpuUsage(before);
  assert.ok(user < 20_000_000, `${user} µs`);
});

test('hook: sees what is redacted, changes what is stored, and neither the span nor its lists', () => {
  const list = ['/?a=b'];
  const attributes = { 'url.full': '/?q=s', list, password: 'p', keep: 1 };
  const events = [{ time: [1_790_000_000, 6], name: 'seen', attributes: { token: 't' } }];
  const span = handMade({ name: 'secret', attributes, events, status: { code: 2, message: 'at /?q=s' } });
  const { spans, trace } = encodeAll([span], {
    redact(seen) {
      assert.deepEqual(seen.attributes, {
        'url.full': '/?q=REDACTED',
        list: ['/?a=REDACTED'],
        password: 'REDACTED',
        keep: 1,
      });
      assert.deepEqual(seen.events[0]?.attributes, { token: 'REDACTED' });
      assert.equal(seen.statusMessage, 'at /?q=REDACTED');
      seen.name = 'renamed';
      seen.attributes = { list: seen.attributes['list'] ?? [], added: '/?x=y' };
      (seen.attributes['list'] as string[]).push('more');
      seen.events.splice(0);
      seen.statusMessage = undefined;
      return true;
    },
  });
  const [out] = spans;
  assert.equal(trace?.summary.rootName, 'renamed');
  assert.equal(trace?.summary.error, true);
  assert.equal(out?.name as unknown, 'renamed');
  assert.deepEqual(
    ((out?.attributes ?? []) as unknown as Tree[]).map(({ key, value }) => [key, plain(value)]),
    [
      ['list', ['/?a=REDACTED', 'more']],
      ['added', '/?x=REDACTED'],
    ],
  );
  assert.equal(out?.events, undefined);
  assert.deepEqual(out?.status, { code: 2 });
  assert.deepEqual(list, ['/?a=b']);
  assert.equal(span.name, 'secret');
});

test('hook: false drops the span alone; what cannot be written then is unencodable', () => {
  const redact = ({ name }: { name: string }, span?: unknown): boolean => {
    void span;
    return name !== 'drop';
  };
  const named = ['a', 'drop', 'b'].map((name) => handMade({ name }));
  const { spans, dropped } = encodeAll(named, { redact });
  assert.deepEqual(
    spans.map(({ name }) => name as unknown),
    ['a', 'b'],
  );
  assert.deepEqual(dropped, { redacted: 1 });
  const broken = encodeAll([handMade()], {
    redact(seen) {
      seen.attributes = Object.defineProperty({}, 'a', {
        enumerable: true,
        get: () => assert.fail('planted'),
      });
      return true;
    },
  });
  assert.deepEqual(broken.dropped, { unencodable: 1 });
});

test('hook: called once for each span', () => {
  const calls: string[] = [];
  const { encoder, dropped } = setUp({
    redact({ name }) {
      calls.push(name);
      if (name === 'broken') assert.fail('planted');
      return name !== 'drop';
    },
  });
  const spans = ['kept', 'drop', 'broken'].map((name) => handMade({ name }));
  const group = { traceId: TRACE_ID, spans };
  const trace = encoder.encode(group);
  assert.deepEqual(calls, ['kept', 'drop', 'broken']);
  assert.equal(trace && spansIn(trace).length, 1);
  assert.deepEqual(dropped, { redacted: 1, unencodable: 1 });
});
