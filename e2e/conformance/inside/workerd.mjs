import { answer, servedFor } from './host.mjs';

/** Workers' own module, which no other tool knows. */
const { RpcTarget, WorkerEntrypoint } = await import(/** @type {string} */ ('cloudflare:workers'));

class Leaf extends RpcTarget {
  get leaf() {
    return 'leaf';
  }
}

/** What the other cases' Worker has a binding to: `API`, and again `OTHER`. */
export class Api extends WorkerEntrypoint {
  /** @param {Request} request */
  fetch(request) {
    return new Response(request.headers.has('traceparent') ? 'traced' : 'not traced');
  }
  get property() {
    return 'property';
  }
  get nested() {
    return new Leaf();
  }
  /** @param {number} a @param {number} b */
  add(a, b) {
    return a + b;
  }
  /** @param {any} stub */
  async useStub(stub) {
    return `${await stub.add(1, 2)}, ${await (await stub.fetch('http://api/')).text()}`;
  }
  /** @param {(text: string) => string} task */
  call(task) {
    return task('called');
  }
}

export default {
  fetch: answer,
  /** @param {any} controller @param {any} bindings @param {any} context */
  scheduled: (controller, bindings, context) =>
    servedFor(({ cron }) => cron === controller.cron, bindings).scheduled?.(controller, bindings, context),
  /** @param {any} batch @param {any} bindings @param {any} context */
  queue: (batch, bindings, context) =>
    servedFor(({ queue }) => queue === batch.queue, bindings).queue?.(batch, bindings, context),
};
