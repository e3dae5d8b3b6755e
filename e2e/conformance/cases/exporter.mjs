import { SpanKind } from '@opentelemetry/api';
import { openTracing, under } from '../inside/traces.mjs';

/** The exporter and the processor with the official SDK. @type {import('../case.mjs').Case[]} */
export const exporter = [
  {
    name: 'a trace is stored as one object, by a signed PUT',
    spans: 2,
    async run(env) {
      const { tracer, close } = openTracing(env);
      const root = tracer.startSpan('root', { kind: SpanKind.CONSUMER, attributes: { answer: 42 } });
      tracer.startSpan('child', { attributes: { ratio: 0.5, tags: ['a', 'b'] } }, under(root)).end();
      root.end();
      return close();
    },
    view: ({ answer, trees, requests, arrived }) => ({
      answer,
      trees,
      keys: arrived.map(({ name }) => name.replace(/=\d+/g, '=0').replace(/_[-\da-f]{36}\./, '_(uuid).')),
      puts: requests
        .filter(({ method }) => method === 'PUT')
        .map(({ headers, status }) => [status, headers['content-type'], headers['if-none-match']]),
    }),
    expected: {
      answer: { created: 2, stored: 2, waiting: 0, dropped: {}, exceptions: 0 },
      trees: [
        {
          name: 'root',
          kind: 'consumer',
          attributes: { answer: 42 },
          children: [{ name: 'child', kind: 'internal', attributes: { ratio: 0.5, tags: ['a', 'b'] } }],
        },
      ],
      keys: ['otlp/v1/default/production/year=0/month=0/day=0/hour=0/minute=0/traces_(uuid).json.gz'],
      puts: [[200, 'application/gzip', '*']],
    },
  },
];
