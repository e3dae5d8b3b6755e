import { answer, servedFor } from './host.mjs';

export default {
  fetch: answer,
  /** @param {any} controller @param {any} bindings @param {any} context */
  scheduled: (controller, bindings, context) =>
    servedFor(({ cron }) => cron === controller.cron, bindings).scheduled?.(controller, bindings, context),
  /** @param {any} batch @param {any} bindings @param {any} context */
  queue: (batch, bindings, context) =>
    servedFor(({ queue }) => queue === batch.queue, bindings).queue?.(batch, bindings, context),
};
