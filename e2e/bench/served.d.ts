// What the pages of the bench are served: the bundle of whichever measure is at work.
declare module '*/bench.js';

// Got when the bench runs, see e2e/support/tools.mjs.
declare module '@microlabs/otel-cf-workers' {
  export function instrument<Handler>(
    handler: Handler,
    config: (env: Record<string, string>) => { exporter: { url: string }; service: { name: string } },
  ): Handler;
}
