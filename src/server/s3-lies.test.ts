/** Servers that call themselves S3 and lie: each ends as a StorageError or as what was asked for, within bounds. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { s3 } from './s3.js';
import type { Storage } from './storage.js';

const BYTES = new Uint8Array(10);

/** A store that answers everything in one way, for one test. */
async function storeThat(context: TestContext, answer: RequestListener, timeoutMillis = 5_000) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  return s3({ endpoint: `http://127.0.0.1:${port}`, bucket: 'traces', ...credentials, timeoutMillis });
}

/** Writes what Node's own server would not let out. */
function raw(response: ServerResponse, text: string): void {
  const { socket } = response as { socket: Socket };
  socket.end(text);
}

const callsOf = (storage: Storage) => ({
  put: () => storage.put('a', BYTES),
  head: () => storage.head('a'),
  get: () => storage.get('a'),
  list: () => storage.list('a'),
  delete: () => storage.delete('a'),
});

test('s3: a body shorter than announced is a StorageError', async (context) => {
  const storage = await storeThat(context, (_request, response) =>
    raw(response, 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'),
  );
  await assert.rejects(storage.get('a'), { name: 'StorageError', httpStatus: 200 });
  await assert.rejects(storage.list('a'), { name: 'StorageError', httpStatus: 200 });
  await assert.rejects(storage.put('a', BYTES), { name: 'StorageError', httpStatus: 200 });
});

test('s3: a body longer than announced is read no further than announced', async (context) => {
  const storage = await storeThat(context, (_request, response) =>
    raw(response, `HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n${'long'.repeat(100)}`),
  );
  const bytes = await storage.get('a', { maxBytes: 5 }).catch((error: unknown) => error);
  if (bytes instanceof Uint8Array) assert.equal(bytes.length, 5);
  else assert.equal((bytes as Error).name, 'StorageError');
});

test('s3: an announced length that is none is no size', async (context) => {
  for (const length of ['many', '-1', '1.5', '99999999999999999999']) {
    const storage = s3({
      endpoint: 'https://store.example',
      bucket: 'traces',
      accessKeyId: 'id',
      secretAccessKey: 'secret',
      fetch: async () => new Response(null, { headers: { 'content-length': length } }),
    });
    assert.deepEqual(await storage.head('a'), {}, length);
  }
  const lying = await storeThat(context, (_request, response) =>
    raw(response, 'HTTP/1.1 200 OK\r\ncontent-length: 10, 20\r\n\r\n'),
  );
  await assert.rejects(lying.head('a'), { name: 'StorageError' });
});

/** Writes as fast as it is read, and counts. */
function endless(sent: { bytes: number }, chunk: string): RequestListener {
  return (_request, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk)) sent.bytes += chunk.length;
    };
    response.on('drain', more);
    more();
  };
}

test('s3: an endless object is left where the caller said', async (context) => {
  const sent = { bytes: 0 };
  const storage = await storeThat(context, endless(sent, 'x'.repeat(1024)));
  await assert.rejects(storage.get('a', { maxBytes: 10_000 }), { name: 'StorageError', tooLarge: true });
  assert.ok(sent.bytes < 16 * 1024 * 1024, `${sent.bytes} bytes were sent`);
});

test('s3: an endless listing is left, and so is an endless answer to a put', async (context) => {
  const sent = { bytes: 0 };
  const storage = await storeThat(context, endless(sent, '<Contents><Key>a</Key>'.repeat(1000)), 30_000);
  // And not because its time was over.
  await assert.rejects(storage.list('a'), { message: 'the store answered a listing with something else' });
  assert.ok(sent.bytes < 64 * 1024 * 1024, `${sent.bytes} bytes were sent`);
  assert.equal(await storage.put('a', BYTES), 'created');
});

test('s3: an object that trickles is given up when its time is over', async (context) => {
  const storage = await storeThat(
    context,
    (_request, response) => {
      const timer = setInterval(() => response.write('x'), 5);
      response.on('close', () => clearInterval(timer));
    },
    200,
  );
  await assert.rejects(storage.get('a'), { name: 'StorageError', httpStatus: 200 });
  await assert.rejects(storage.list('a'), { name: 'StorageError', httpStatus: 200 });
});

test('s3: 200 with an error in XML is no success', async (context) => {
  const error = '<?xml version="1.0"?>\n<Error><Code>InternalError</Code></Error>';
  const storage = await storeThat(context, (_request, response) => response.end(error));
  await assert.rejects(storage.put('a', BYTES), { name: 'StorageError', httpStatus: 200 });
  await assert.rejects(storage.list('a'), { name: 'StorageError' });
});

test('s3: redirects are not followed, and credentials go nowhere else', async (context) => {
  let visitors = 0;
  const elsewhere = createServer((_request, response) => {
    visitors++;
    response.end();
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    elsewhere.closeAllConnections();
    elsewhere.close();
  });
  const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
  for (const status of [301, 302, 303, 307, 308]) {
    const storage = await storeThat(context, (_request, response) =>
      response.writeHead(status, { location }).end(),
    );
    for (const [name, call] of Object.entries(callsOf(storage))) {
      await assert.rejects(call, { name: 'StorageError', httpStatus: status }, `${name} ${status}`);
    }
  }
  assert.equal(visitors, 0);
});

test('s3: a server that says nothing, nonsense or half of a header is a StorageError', async (context) => {
  for (const text of [
    '',
    'nonsense\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-le',
    'HTTP/1.1 999999 OK\r\n\r\n',
  ]) {
    const storage = await storeThat(context, (_request, response) => raw(response, text));
    for (const [name, call] of Object.entries(callsOf(storage))) {
      await assert.rejects(call, { name: 'StorageError', httpStatus: undefined }, `${name} ${text}`);
    }
  }
});

test('s3: listings that are damaged are a StorageError, however many entries they begin', async (context) => {
  const list = (inner: string) => `<ListBucketResult>${inner}</ListBucketResult>`;
  const damaged = [
    list('<Contents><Key>a</Key></Contents>'),
    list('<Contents><Size>1</Size></Contents>'),
    list('<Contents><Key>a</Key><Size>-1</Size></Contents>'),
    list('<Contents><Key>a</Key><Size>many</Size></Contents>'),
    list('<Contents><Key>a</Key><Size>1</Size>'),
    list('<IsTruncated>true</IsTruncated>'),
    list('<Contents>'.repeat(500_000)),
  ];
  for (const text of damaged) {
    const storage = await storeThat(context, (_request, response) => response.end(text));
    await assert.rejects(storage.list(''), { name: 'StorageError' }, text.slice(0, 80));
  }
});
