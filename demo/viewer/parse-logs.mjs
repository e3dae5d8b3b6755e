/**
 * OTLP/JSON logs into what the viewer shows of them: each at its moment in the trace that it names.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import {
  asArray,
  asString,
  decodeAnyValue,
  decodeAttributes,
  findAttribute,
  isRecord,
} from './any-value.mjs';
import { readId, readNanos } from './parse-otlp.mjs';

/** By severity number, four each. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/**
 * @typedef {object} Log
 * @property {string} traceId 32 lowercase hex digits
 * @property {string} spanId empty when it names none
 * @property {bigint | undefined} time nanoseconds since the epoch: of the log, else when it was observed
 * @property {string} level `trace`, `debug`, `info`, `warn`, `error`, `fatal`; empty when it has none
 * @property {string} text its body, else the name of the event
 * @property {import('./any-value.mjs').Attribute[]} attributes
 * @property {string} serviceName
 */

/** Whether a parsed JSON is one `ExportLogsServiceRequest`. @param {unknown} request */
export const isLogsRequest = (request) => isRecord(request) && Array.isArray(request.resourceLogs);

/**
 * Reads one `ExportLogsServiceRequest`. Logs of no trace are left out: there is no place for them yet.
 *
 * @param {any} request
 * @returns {Map<string, Log[]>} by trace id
 */
export function parseLogs(request) {
  /** @type {Map<string, Log[]>} */
  const logs = new Map();
  for (const group of asArray(request.resourceLogs).filter(isRecord)) {
    const resource = decodeAttributes(isRecord(group.resource) ? group.resource.attributes : []);
    const serviceName = findAttribute(resource, 'service.name') ?? 'unknown service';
    for (const scopeGroup of asArray(group.scopeLogs).filter(isRecord)) {
      for (const raw of asArray(scopeGroup.logRecords).filter(isRecord)) {
        const log = readLog(raw, serviceName);
        if (log.traceId === '') continue;
        const ofTrace = logs.get(log.traceId) ?? [];
        logs.set(log.traceId, ofTrace);
        ofTrace.push(log);
      }
    }
  }
  return logs;
}

/** @returns {Log} */
function readLog(raw, serviceName) {
  return {
    traceId: readId(raw.traceId, 32),
    spanId: readId(raw.spanId, 16),
    time: readNanos(raw.timeUnixNano) ?? readNanos(raw.observedTimeUnixNano),
    level:
      LEVELS[Math.floor((Number(raw.severityNumber) - 1) / 4)] ?? asString(raw.severityText).toLowerCase(),
    text: decodeAnyValue(raw.body).text || asString(raw.eventName) || '(no body)',
    attributes: decodeAttributes(raw.attributes),
    serviceName,
  };
}
