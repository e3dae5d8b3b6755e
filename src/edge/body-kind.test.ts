import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, type World } from './body-kind.js';

/** What `Bun.inspect` of Bun 1.4.5 printed. */
const printed = (last: string, headers = 'Headers {}', name = 'Response'): string =>
  `${name} (0 KB) {\n  ok: true,\n  url: "",\n  status: 200,\n  statusText: "",\n  headers: ${headers},\n  redirected: false,\n  bodyUsed: false${last}\n}`;

const inBun = (last: string, url = '', headers?: string): string => {
  const world: World = { Bun: { inspect: () => printed(last, headers) } };
  return bodyOf({ url } as Response, world).kind;
};

test('body in Bun: told by what it prints, without a look at the body', () => {
  assert.equal(inBun(',\n  Blob (10 bytes)'), 'whole');
  assert.equal(inBun(''), 'whole', 'no body');
  assert.equal(inBun(',\n  ReadableStream {\n    locked: false,\n  }'), 'script');
  assert.equal(inBun('', 'http://a.example/'), 'script', 'what fetch is still receiving');
  assert.equal(inBun(',\n  FileRef ("/tmp/a.txt") {\n    type: "text/plain"\n  }'), 'sealed');
  assert.equal(inBun(',\n  Something (10 bytes)'), 'sealed', 'not known yet');
  const headers = 'Headers {\n    "x-a": "bodyUsed: false,\\n  ReadableStream {",\n  }';
  assert.equal(inBun(',\n  Blob (1 bytes)', '', headers), 'whole', 'what a header says is not believed');
});

test('body in Bun: left alone where it prints otherwise', () => {
  const world = { Bun: { inspect: () => 'Response' } };
  assert.equal(bodyOf({ url: '' } as Response, world).kind, 'sealed');
  const throwing = {
    Bun: {
      inspect(): string {
        throw new Error('none');
      },
    },
  };
  assert.equal(bodyOf({ url: '' } as Response, throwing).kind, 'sealed');
});

/** As a response of Deno 2.9.6 holds it. */
const deno = (body: unknown, lazy: unknown = null): Response =>
  ({ [Symbol('response')]: { body }, [Symbol('lazy static body')]: lazy }) as never;

test('body in Deno: told by what it was made of', () => {
  const kindOf = (response: Response) => bodyOf(response, { Deno: {} }).kind;
  assert.equal(kindOf(deno(undefined, 'text')), 'whole', 'not even made yet');
  assert.equal(kindOf(deno(null)), 'whole', 'no body');
  const streamOrStatic = { body: 'text', consumed: false };
  assert.equal(kindOf(deno({ streamOrStatic, source: 'text' })), 'whole');
  assert.equal(
    kindOf(deno({ streamOrStatic: new ReadableStream(), source: 'text' })),
    'whole',
    'once looked at',
  );
  assert.equal(kindOf(deno({ streamOrStatic: new ReadableStream(), source: null })), 'script');
  assert.equal(kindOf(deno({ elsewhere: 1 })), 'unknown');
  assert.equal(kindOf({} as Response), 'unknown');
});

test('body elsewhere: unknown', () => {
  assert.equal(bodyOf(new Response('text'), {}).kind, 'unknown');
});

test('body in workerd: left alone where its streams do not show their length', () => {
  assert.equal(bodyOf(new Response('text'), { IdentityTransformStream: class {} }).kind, 'sealed');
});
