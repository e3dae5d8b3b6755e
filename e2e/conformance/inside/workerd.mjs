import { CASES, slugOf } from '../cases/index.mjs';
import { answer, servedBy } from './host.mjs';

/** The case that a cron or a queue is of. @param {(one: import('../case.mjs').Case) => boolean} isOf @param {any} bindings */
const servedFor = (isOf, bindings) => servedBy(slugOf(CASES.find(isOf)?.name ?? ''), bindings);

export default {
  fetch: answer,
  /** @param {any} controller @param {any} bindings @param {any} context */
  scheduled: (controller, bindings, context) =>
    servedFor(({ cron }) => cron === controller.cron, bindings).scheduled?.(controller, bindings, context),
  /** @param {any} batch @param {any} bindings @param {any} context */
  queue: (batch, bindings, context) =>
    servedFor(({ queue }) => queue === batch.queue, bindings).queue?.(batch, bindings, context),
};
