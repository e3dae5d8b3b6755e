/** Stands in until the real one is here. */
export function watchBody(response: Response, done: (error?: unknown) => void): Response {
  const { body } = response;
  if (!body || body.locked || response.status === 101) {
    done();
    return response;
  }
  const reader = body.getReader();
  const watched = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done: isDone, value } = await reader.read();
        if (!isDone) return controller.enqueue(value);
        controller.close();
        done();
      } catch (error) {
        done(error);
        controller.error(error);
      }
    },
    cancel(reason) {
      done();
      return reader.cancel(reason);
    },
  });
  return new Response(watched, response);
}
