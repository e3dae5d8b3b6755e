/**
 * The words of the suite. One case runs in every runtime and has one expected result.
 *
 * @typedef {'node' | 'deno' | 'bun' | 'workerd' | 'workerd-bare' | 'edge-runtime' | 'chromium' | 'firefox'} RuntimeName
 *   `workerd` has the compatibility flag `nodejs_als`; `workerd-bare` has none, as `edge-runtime` it is without
 *   AsyncLocalStorage.
 *
 * @typedef {object} World What is outside and known inside.
 * @property {RuntimeName} runtime
 * @property {string} base Origin of `/v1/traces` (the OTLP sink), `/echo`, `/stream`, `/hang` and `/status/{code}`.
 * @property {string} endpoint URL of the ingest endpoint, whose bucket is the mock's.
 *
 * @typedef {object} Env What a case gets in its runtime.
 * @property {RuntimeName} runtime
 * @property {string} base
 * @property {string} endpoint
 * @property {string} service Of this case alone, so that what comes late is told from the next case's.
 * @property {any} [r2] A binding, where there is one.
 * @property {(handler: Handler, options: any) => Served} instrumented `instrument` in the shape of this runtime: a
 *   module object in workerd, a function elsewhere.
 * @property {(module: any, options: any) => Served} module `instrument` of a Worker's module, in workerd.
 *
 * @typedef {{ waitUntil?: (work: Promise<unknown>) => void }} HandlerContext
 * @typedef {(request: Request, context: HandlerContext) => unknown} Handler
 *
 * @typedef {object} Served
 * @property {(request: Request, bindings: any, context: any) => Promise<Response>} fetch
 * @property {(request: Request, bindings: any, context: any) => unknown} [bare] The same, not instrumented.
 * @property {(controller: any, bindings: any, context: any) => Promise<void>} [scheduled]
 * @property {(batch: any, bindings: any, context: any) => Promise<void>} [queue]
 *
 * @typedef {object} Case
 * @property {string} name What holds.
 * @property {Partial<Record<RuntimeName, string>>} [notIn] Why a runtime cannot run it.
 * @property {Partial<Record<import('../../demo/mock-r2/faults.mjs').Target,
 *   import('../../demo/mock-r2/faults.mjs').Fault>>} [faults] Set before it begins.
 * @property {import('./outside/sink.mjs').SinkAnswer[]} [sink] What the OTLP sink answers, in order; then 200.
 * @property {(env: Env) => unknown} [run] In the runtime, within one request; gives plain JSON.
 * @property {(env: Env) => Served} [serve] In the runtime, once: what its server serves to the client.
 * @property {(outside: Outside) => unknown} [client] In Node, after `run`: asks the runtime's server; gives plain JSON.
 * @property {string} [cron] Of the case that serves `scheduled`; likewise `queue`, a queue's name.
 * @property {string} [queue]
 * @property {number} spans How many distinct spans are to arrive.
 * @property {number} [copies] In how many places each of them. Default 1.
 * @property {(seen: Seen) => unknown} [view] What of all that is compared. Default: answers, and the spans as trees.
 * @property {unknown} expected What the view is to be, in every runtime.
 * @property {string} [differs] Why what arrives is not the same text in every runtime.
 * @property {Partial<Record<RuntimeName | 'all', string[]>>} [says] What console lines there are to be, by how they
 *   begin: in that runtime, or else in all. Default none.
 *
 * @typedef {object} Outside
 * @property {RuntimeName} runtime
 * @property {(path: string, init?: import('./outside/ask.mjs').AskInit) => Promise<import('./outside/ask.mjs').Asked>} ask
 *   Asks what the case serves.
 * @property {(path: string, init?: import('./outside/ask.mjs').AskInit) => Promise<import('./outside/ask.mjs').Asked>} askBare
 *   The same handler, not instrumented.
 * @property {(cron: string) => Promise<unknown>} scheduled workerd only.
 * @property {(queue: string, messages: any[]) => Promise<unknown>} queue workerd only.
 * @property {import('../../demo/mock-r2/faults.mjs').Faults} faults
 * @property {import('./outside/sink.mjs').Sink} sink
 * @property {<T>(find: () => T | undefined | Promise<T | undefined>, what: string) => Promise<T>} until
 *
 * @typedef {object} Seen
 * @property {RuntimeName} runtime
 * @property {any} answer Of `run`.
 * @property {any} client Of `client`.
 * @property {Arrival[]} arrived Objects of both buckets and requests at the sink, in order.
 * @property {import('./outside/spans.mjs').SpanNode[]} trees
 * @property {import('../../demo/mock-r2/request-log.mjs').LoggedRequest[]} requests To the mock.
 * @property {import('./outside/sink.mjs').SinkRequest[]} sunk Requests at the sink, those refused too.
 * @property {string} origin Of the runtime's server.
 *
 * @typedef {object} Arrival
 * @property {'bucket' | 'r2' | 'sink'} place
 * @property {string} name Object key, or path.
 * @property {Uint8Array} bytes As they came.
 * @property {any} request OTLP/JSON.
 */

export {};
