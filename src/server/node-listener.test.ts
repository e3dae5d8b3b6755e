import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server, connect as http2Connect } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import express from 'express';
import { bodyStream } from './node-body.js';
import { nodeListener } from './node-listener.js';

/** Serves until the test is over. */
async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends a request by hand, and resolves with all that comes back. */
async function sendRaw(origin: string, text: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

const echoUrl = nodeListener((request) => new Response(request.url));

test('node listener: of the address only path and query are the client’s, whatever it writes', async (context) => {
  const origin = await serve(context, echoUrl);
  const bodyOf = async (target: string, host = 'shop.example') => {
    const answer = await sendRaw(
      origin,
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    return /\r\n\r\n(?:[0-9a-f]+\r\n)?(.*?)(\r\n|$)/s.exec(answer)?.[1];
  };
  assert.equal(await bodyOf('/a?b=c'), 'http://shop.example/a?b=c');
  assert.equal(await bodyOf('//evil.example/a'), 'http://shop.example//evil.example/a');
  assert.equal(await bodyOf('http://evil.example/a?b'), 'http://shop.example/a?b');
  assert.match((await bodyOf('/', 'a b')) ?? '', /"malformed"/);
});

test('node listener: the scheme is that of the connection, and the proxy’s only where it is trusted', async (context) => {
  const headers = { 'x-forwarded-proto': 'https, http' };
  const schemeAt = async (trustProxy: boolean, sent: Record<string, string> = headers) => {
    const listener = nodeListener((request) => new Response(new URL(request.url).protocol), { trustProxy });
    return (await fetch(await serve(context, listener), { headers: sent })).text();
  };
  assert.equal(await schemeAt(false), 'http:');
  assert.equal(await schemeAt(true), 'https:');
  assert.equal(await schemeAt(true, {}), 'http:');
  assert.equal(await schemeAt(true, { 'x-forwarded-proto': 'javascript' }), 'http:');
});

test('node listener: bodies go both ways as they are, larger than any buffer', async (context) => {
  const origin = await serve(
    context,
    nodeListener((request) => new Response(request.body)),
  );
  const sent = new Uint8Array(5_000_000).map((_, index) => index % 251);
  const came = await (await fetch(origin, { method: 'POST', body: sent })).arrayBuffer();
  assert.ok(Buffer.from(came).equals(sent));
});

test('node listener: a body is asked for no faster than it is read', async () => {
  let made = 0;
  const endless = new Readable({
    highWaterMark: 1,
    read() {
      made += 1;
      this.push(new Uint8Array(1_024));
    },
  });
  const reader = bodyStream(endless).getReader();
  for (let read = 1; read <= 10; read += 1) {
    await reader.read();
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    assert.ok(made <= read + 3, `${made} were made for ${read}`);
  }
  await reader.cancel();
  endless.destroy();
});

test('node listener: a handler hears of a client that hangs up, in body and signal', async (context) => {
  const heard: string[] = [];
  let resolve = (_: unknown): void => undefined;
  const both = new Promise((done) => {
    resolve = done;
  });
  const tell = (what: string): void => {
    heard.push(what);
    if (heard.length === 2) resolve(undefined);
  };
  const origin = await serve(
    context,
    nodeListener(async (request) => {
      request.signal.addEventListener('abort', () => tell('signal'));
      await request.arrayBuffer().catch(() => tell('body'));
      return new Response('too late');
    }),
  );
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx', () => socket.destroy());
  await both;
  assert.deepEqual(heard.sort(), ['body', 'signal']);
});

test('node listener: a stream that nobody reads any more is cancelled', async (context) => {
  let cancelled = (_: unknown): void => undefined;
  const over = new Promise((resolve) => {
    cancelled = resolve;
  });
  const origin = await serve(
    context,
    nodeListener(
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
            cancel: cancelled,
          }),
        ),
    ),
  );
  const response = await fetch(origin);
  await response.body?.cancel();
  await over;
});

test('node listener: a body that was refused is let run out, and cut off where it goes on', async (context) => {
  const refuse = nodeListener(async (request) => {
    await request.body?.cancel();
    return new Response('no', { status: 413 });
  });
  const origin = await serve(context, refuse);
  const body = new Uint8Array(500_000);
  for (let times = 0; times < 3; times++) {
    const response = await fetch(origin, { method: 'POST', body });
    assert.deepEqual([response.status, await response.text()], [413, 'no']);
  }

  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n');
  const chunk = new Uint8Array(65_536);
  const pour = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('drain', pour).resume();
  pour();
  await closed;
  assert.ok(socket.bytesWritten < 100_000_000, `${socket.bytesWritten} bytes were taken`);
});

test('node listener: whatever a handler throws is a 500 without its words', async (context) => {
  const failing = [
    () => {
      throw new Error('secret');
    },
    () => Promise.reject(new Error('secret')),
    () => undefined as never,
  ];
  for (const handler of failing) {
    const response = await fetch(await serve(context, nodeListener(handler)));
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
  }
  const broken = nodeListener(
    () => new Response(new ReadableStream({ start: (controller) => controller.error(new Error('secret')) })),
  );
  await fetch(await serve(context, broken)).then(
    async (response) => assert.equal(response.status, 500),
    () => assert.fail('nothing was sent yet'),
  );
});

test('node listener: a method that fetch does not know is refused', async (context) => {
  const origin = await serve(context, echoUrl);
  assert.match(
    await sendRaw(origin, 'TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1.1 400 /,
  );
});

test('node listener: cookies stay apart, and headers that came twice are one', async (context) => {
  const origin = await serve(
    context,
    nodeListener((request) => {
      const headers = new Headers({ 'x-came': request.headers.get('x-twice') ?? '' });
      headers.append('set-cookie', 'a=1');
      headers.append('set-cookie', 'b=2');
      return new Response(null, { status: 204, headers });
    }),
  );
  const answer = await sendRaw(
    origin,
    'GET / HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nX-Twice: 2\r\nConnection: close\r\n\r\n',
  );
  assert.match(answer, /x-came: 1, 2\r\n/i);
  assert.equal(answer.match(/set-cookie: /gi)?.length, 2);
});

test('node listener: what Express has parsed is taken, where its bytes can be had', async (context) => {
  const text = nodeListener(async (request) => new Response(await request.text()));
  const bytesOf = nodeListener(async (request) => new Response(await request.arrayBuffer()));
  const app = express();
  app.post('/text', express.text(), text);
  app.post('/json', express.json({ type: '*/*' }), text);
  app.post('/raw', express.raw({ type: '*/*' }), bytesOf);
  app.post('/garbled', express.text({ type: '*/*' }), bytesOf);
  app.post('/unread', express.json(), text);
  app.post('/gone', (req, _res, next) => void req.resume().on('end', next), text);
  app.use(
    '/mounted',
    nodeListener((request) => new Response(request.url)),
  );
  const origin = await serve(context, app);
  const post = (path: string, body: BodyInit) =>
    fetch(origin + path, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });

  assert.equal(await (await post('/text', '{"v":1,"ü":"\ufffd"}')).text(), '{"v":1,"ü":"\ufffd"}');
  assert.equal(await (await post('/json', '{ "v": 1 }')).text(), '{"v":1}');
  assert.equal(await (await post('/unread', 'as it is')).text(), 'as it is');
  const binary = Uint8Array.of(0x1f, 0x8b, 0xff, 0);
  assert.deepEqual(new Uint8Array(await (await post('/raw', binary)).arrayBuffer()), binary);
  for (const path of ['/garbled', '/gone']) {
    const response = await post(path, binary);
    assert.equal(response.status, 500);
    assert.match((await response.json()).error.message, /in front of what parses bodies/);
  }
  assert.equal(await (await fetch(`${origin}/mounted/at/x?y`)).text(), `${origin}/mounted/at/x?y`);
});

test('node listener: speaks HTTP/2', async (context) => {
  const server = createHttp2Server(
    nodeListener(async (request) => new Response(`${request.url} ${await request.text()}`)) as never,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const session = http2Connect(origin);
  context.after(() => {
    session.destroy();
    server.close();
  });
  const stream = session.request({ ':method': 'POST', ':path': '/x' });
  stream.end('body');
  let answer = '';
  for await (const chunk of stream) answer += chunk;
  assert.equal(answer, `${origin}/x body`);
});

test('node listener: options that are none are refused', () => {
  assert.throws(
    () => nodeListener(undefined as never),
    /option "handler" got undefined; it takes a function/,
  );
  assert.throws(
    () => nodeListener(() => new Response(), { trustProxy: 'yes' as never }),
    /option "trustProxy" got/,
  );
});
