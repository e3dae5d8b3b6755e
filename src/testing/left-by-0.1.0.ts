/**
 * What pages of version 0.1.0 left in the database and in notes, as that version wrote it: one that crashed with spans in
 * no blob, one whose last words are a note, one that crashed with a blob.
 */
export interface Left {
  /** Epoch milliseconds. */
  now: number;
  /** By key, as JSON of the key; bytes as `{ base64 }`. */
  records: [string, unknown][];
  notes: [string, string][];
}

export const LEFT_BY_0_1_0: Record<'crash' | 'leaves' | 'blob', Left> = {
  crash: {
    now: 1790000000300,
    records: [
      [
        '["to https://app.test/spandrel","01a0c450-6c00-7bb5-b498-9e0a17f5bc81","spans","1"]',
        {
          v: 1,
          traces: [
            {
              json: '{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"unknown_service:node"}},{"key":"telemetry.sdk.language","value":{"stringValue":"nodejs"}},{"key":"telemetry.sdk.name","value":{"stringValue":"opentelemetry"}},{"key":"telemetry.sdk.version","value":{"stringValue":"2.12.0"}}]},"scopeSpans":[{"scope":{"name":"tests"},"spans":[{"traceId":"c83761e8224a2831833a44d24bbb33d5","spanId":"3912d7e3b581578e","flags":257,"parentSpanId":"cec6edb9f2d0f550","name":"child","kind":1,"startTimeUnixNano":"1796101516502000000","endTimeUnixNano":"1796101516502177434"},{"traceId":"c83761e8224a2831833a44d24bbb33d5","spanId":"e43ce0d1844881ab","flags":257,"parentSpanId":"cec6edb9f2d0f550","name":"child","kind":1,"startTimeUnixNano":"1796101516502000000","endTimeUnixNano":"1796101516502025119"},{"traceId":"c83761e8224a2831833a44d24bbb33d5","spanId":"cec6edb9f2d0f550","flags":257,"name":"root","kind":1,"startTimeUnixNano":"1796101516501000000","endTimeUnixNano":"1796101516502448853"}]}]}',
              summary: {
                traceId: 'c83761e8224a2831833a44d24bbb33d5',
                rootName: 'root',
                startedAt: 1796101516501,
                durationMs: 1.448853,
                spanCount: 3,
                error: false,
              },
            },
          ],
        },
      ],
    ],
    notes: [],
  },
  leaves: {
    now: 1790000000300,
    records: [
      [
        '["to https://app.test/spandrel","01a0c450-6c00-7bb5-b498-9e0a17f5bc81","spans","1"]',
        {
          v: 1,
          traces: [
            {
              json: '{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"unknown_service:node"}},{"key":"telemetry.sdk.language","value":{"stringValue":"nodejs"}},{"key":"telemetry.sdk.name","value":{"stringValue":"opentelemetry"}},{"key":"telemetry.sdk.version","value":{"stringValue":"2.12.0"}}]},"scopeSpans":[{"scope":{"name":"tests"},"spans":[{"traceId":"ab139e5fe05ac6a36fc7804970b403fe","spanId":"897af72c94076adb","flags":257,"parentSpanId":"9e16a1fc1ae00001","name":"child","kind":1,"startTimeUnixNano":"1796101516540000000","endTimeUnixNano":"1796101516540012941"},{"traceId":"ab139e5fe05ac6a36fc7804970b403fe","spanId":"76f43cd735d8f7ae","flags":257,"parentSpanId":"9e16a1fc1ae00001","name":"child","kind":1,"startTimeUnixNano":"1796101516540000000","endTimeUnixNano":"1796101516540027559"},{"traceId":"ab139e5fe05ac6a36fc7804970b403fe","spanId":"9e16a1fc1ae00001","flags":257,"name":"root","kind":1,"startTimeUnixNano":"1796101516540000000","endTimeUnixNano":"1796101516540415143"}]}]}',
              summary: {
                traceId: 'ab139e5fe05ac6a36fc7804970b403fe',
                rootName: 'root',
                startedAt: 1796101516540,
                durationMs: 0.415143,
                spanCount: 3,
                error: false,
              },
            },
          ],
        },
      ],
    ],
    notes: [
      [
        'spandrel-1 to https://app.test/spandrel 01a0c450-6c00-7bb5-b498-9e0a17f5bc81',
        '{"v":1,"blobs":{"01a0c450-6d2c-7ea0-b203-101f073a2fd3":{"state":{"attempts":0,"notBeforeMillis":0},"record":{"v":1,"rawBytes":1017,"spanCount":3,"error":false,"traces":[{"traceId":"ab139e5fe05ac6a36fc7804970b403fe","rootName":"root","startedAt":1796101516540,"durationMs":0.415143,"spanCount":3,"error":false}],"sealedAtMillis":1790000000300,"page":"01a0c450-6c00-7bb5-b498-9e0a17f5bc81","seq":1,"base64":"H4sIAAAAAAAA/6tWKkotzi8tSk4NLkjMK1ayikaIKFlVKyWWlBRlJpWWpEKkslMrlayUilOLyjKTU/XyEnNTlXSUyhJzSsGKi0uKMvPSwyBcpdK87Lz88rx4qGqrvPyUVKXaWh2YKSWpOam5qSVFlXrFKdl6OYl56aWJ6XjMA+nPKsZtAn7X5Bek5sHV4zakLLWoODM/D7c5RnqGRnoGSrW1sbU6SsXJ+QVIAQfmgrSAnQIyurikWAmkDq6kpCgxOdUzRclKKTHJ0Ngy1TQt1cA0Mdks0dgsLdncwsDE0twgycTAOA3kFZA2sFoLS/PENHOjZEsTA3OzxJQkJR2ltJzE9GIlKyNTcx2lgsSi1LwSkDvAqi1TDc0SDdOSDRNTDQwMDAyVdGAOSs7IzElR0lHKzsxLUbIy1FEqLkksKgnJzE0Nzcus8EvMy1eyUjI0tzQzNDA0NTQzNQHpNzAwUNJRSs1LwavO0MjSxFAJFKzkedHcLM3EODnF3Ng0xSLNPBEkN9i8aGRuampJgRexOBrZi1APFOXnl9DE/SaGpoYmxkq1sWAIAMb7MYD5AwAA"}}},"sealed":1,"tail":"01a0c450-6c00-7c93-b6cd-59424ac5df80"}',
      ],
    ],
  },
  blob: {
    now: 1790000008000,
    records: [
      [
        '["to https://app.test/spandrel","01a0c450-6c00-7bb5-b498-9e0a17f5bc81","blob","01a0c450-81e0-7ea0-b203-101f073a2fd3"]',
        {
          v: 1,
          bytes: {
            base64:
              'H4sIAAAAAAAA/6tWKkotzi8tSk4NLkjMK1ayikaIKFlVKyWWlBRlJpWWpEKkslMrlayUilOLyjKTU/XyEnNTlXSUyhJzSsGKi0uKMvPSwyBcpdK87Lz88rx4qGqrvPyUVKXaWh2YKSWpOam5qSVFlXrFKdl6OYl56aWJ6XjMA+nPKsZtAn7X5Bek5sHV4zakLLWoODM/D7c5RnqGRnoGSrW1sbU6SsXJ+QVIAQfmgrSAnQIyurikWAmkDq6kpCgxOdUzRclKydDA3Cwp1TjRyDLJyNDc0CQpLdk4ydQg2cLEOC011chECaINrDbR1MQw2dA4xdzA0iDRJNFYSUcpLScxvVjJysjUXEepILEoNa8E5A6w6qTU5JQ047SkJGNLM4tEc0MlHZiDkjMyc1KUdJSyM/NSlKwMdZSKSxKLSkIyc1ND8zIr/BLz8kEOM7c0MzQwNDU0M7UwgAAlHaXUvBS86gxNzMwtlEDBSp4XDS0NjCxTLC0NjNJMjBJTzOjmRUMivWhoYGhubmZMgRexOBrZi1APFOXnl9AkioyNjQ2MzJRqY8EQAJRCXSf5AwAA',
          },
          rawBytes: 1017,
          spanCount: 3,
          error: false,
          traces: [
            {
              traceId: '1076be3a29b21714bfc3b50c843fee24',
              rootName: 'root',
              startedAt: 1796101516580,
              durationMs: 1.017763,
              spanCount: 3,
              error: false,
            },
          ],
          sealedAtMillis: 1790000005600,
          page: '01a0c450-6c00-7bb5-b498-9e0a17f5bc81',
          seq: 1,
        },
      ],
    ],
    notes: [],
  },
};

/** A record with its bytes. */
export function revived(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { base64 } = value as { base64?: string };
  if (base64 !== undefined) return new Uint8Array(Buffer.from(base64, 'base64'));
  if (Array.isArray(value)) return value.map(revived);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, revived(one)]));
}
