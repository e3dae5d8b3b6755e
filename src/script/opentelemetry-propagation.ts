/** `propagation` of OpenTelemetry's API, as far as it is used. Part of the API's stand-in. */
import type * as api from '@opentelemetry/api';
import { registered } from './opentelemetry-global.js';

const BAGGAGE_KEY = Symbol.for('OpenTelemetry Baggage Key');

export const getBaggage = (from: api.Context): api.Baggage | undefined =>
  from.getValue(BAGGAGE_KEY) as api.Baggage | undefined;

/** Empty where nobody has registered a propagator. */
export const fields = (): string[] => registered()?.propagation?.fields() ?? [];

export const inject = <C>(from: api.Context, carrier: C, setter: api.TextMapSetter<C>): void =>
  registered()?.propagation?.inject(from, carrier, setter);
