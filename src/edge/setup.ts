/** What a user's options come to: made once for each `env`, shared by its invocations. */
import type { ReadableSpan } from '../pipeline/model.js';
import type { Sampler } from '../sdk/tracer-provider.js';
import { createPropagation, type Propagation } from '../spa/propagation.js';
import { VERSION } from '../version.js';
import { type Kept, nothingKept } from './collector.js';
import { type CheckedEdgeOptions, checkEdgeOptions, type EdgeOptions } from './options.js';
import { type Runtime, runtimeOf } from './runtime.js';
import { createEdgeSampler } from './sampler.js';

export interface Setup {
  readonly options: CheckedEdgeOptions;
  readonly runtime: Runtime;
  readonly resource: ReadableSpan['resource'];
  readonly sampler: Sampler;
  readonly propagation: Propagation;
  /** What one invocation could not send. Data, no promises. */
  readonly kept: Kept;
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function createSetup(given: EdgeOptions): Setup {
  const options = checkEdgeOptions(given);
  const runtime = runtimeOf();
  const { service, version, environment } = options;
  return {
    options,
    runtime,
    resource: {
      attributes: {
        'service.name': service,
        ...(version !== undefined && { 'service.version': version }),
        ...(environment !== undefined && { 'deployment.environment.name': environment }),
        'telemetry.sdk.name': 'spandrel',
        'telemetry.sdk.version': VERSION,
        ...runtime.attributes,
      },
    },
    sampler: createEdgeSampler(
      options.sampleRate,
      runtime.isClockFrozen ? { 'spandrel.clock.frozen': true } : {},
    ),
    propagation: createPropagation(options.propagateTo, ''),
    kept: nothingKept(),
  };
}
