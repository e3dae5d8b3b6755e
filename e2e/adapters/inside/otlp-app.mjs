// The endpoint as a server's OTLP meets it, and all that has come to lie in its store, in base64.
import { createIngest } from 'spandrel/server';

/** @param {import('../../../src/server.js').Storage} storage @returns {(request: Request) => Promise<Response>} */
export function appOver(storage) {
  const ingest = createIngest({
    storage,
    allowedOrigins: ['https://shop.example'],
    otlp: { keys: ['key-of-the-operator-0123456789'] },
    onError: (error) => console.error(error),
  });
  return async (request) => {
    if (new URL(request.url).pathname !== '/objects') return ingest(request);
    const { objects } = await storage.list('');
    return Response.json(
      await Promise.all(
        objects.map(async ({ key }) => {
          const bytes = (await storage.get(key)) ?? new Uint8Array();
          return [key, btoa(String.fromCharCode(...bytes))];
        }),
      ),
    );
  };
}
