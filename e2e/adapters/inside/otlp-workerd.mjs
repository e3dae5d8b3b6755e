import { r2 } from 'spandrel/server';
import { appOver } from './otlp-app.mjs';

/** @type {((request: Request) => Promise<Response>) | undefined} */
let handle;
export default {
  /** @param {Request} request @param {{ TRACES: any }} env A bucket of R2. */
  fetch(request, env) {
    handle ??= appOver(r2(env.TRACES));
    return handle(request);
  },
};
