/** Visits to a site as objects hold them, and the figures that plain code finds in them. */

export const NOW = Date.UTC(2026, 10, 21, 12);
export const START = NOW - 86_400_000;

export interface Visit {
  traceId: string;
  /** Epoch milliseconds. */
  start: number;
  kind: 'load' | 'route';
  route: string;
  duration: number;
  session: string;
  user: string | undefined;
  browser: string;
  userAgent: string;
  device: string;
  country: string;
  release: string;
  plan: string;
  /** How many visits it stands for. */
  weight: number;
  probability: number | undefined;
  keptFor: string | undefined;
  vitals: Record<string, number>;
  requests: {
    method: string;
    url: string;
    target: string;
    duration: number;
    status: number;
    failed: boolean;
  }[];
  errors: { type: string; message: string; folded: string; frame: string; line: number }[];
}

const AGENTS = [
  ['Firefox', 'desktop', 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0'],
  [
    'Chrome',
    'mobile',
    'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36',
  ],
  [
    'Safari',
    'mobile',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1',
  ],
  [
    'Microsoft Edge',
    'desktop',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0',
  ],
] as const;
const ROUTES = ['/', '/cart', '/product/:id', '/about'];
const VITALS = { LCP: 6_000, INP: 700, CLS: 0.5, TTFB: 2_500, FCP: 4_500 };

/** Numbers from 0 to 1 that are the same in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
const pick = <T>(list: readonly T[], random: () => number): T =>
  list[Math.floor(random() * list.length)] as T;
const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');

/** Sessions of one load and some changes of route, each trace of them a visit, in the day before `until`. */
export function simulate(sessions: number, seed = 7, until = NOW): Visit[] {
  const random = dice(seed);
  const visits: Visit[] = [];
  for (let number = 1; number <= sessions; number++) {
    const [browser, device, userAgent] = pick(AGENTS, random);
    const probability = pick([undefined, undefined, 0.1, 0.3], random);
    const began = until - 86_400_000 + Math.floor(random() * 86_000_000);
    const of = {
      ...{
        session: hex(number, 32),
        user: random() < 0.5 ? `u-${number % 40}` : undefined,
        browser,
        device,
        userAgent,
      },
      ...{
        country: pick(['DE', 'FR', 'US'], random),
        release: pick(['1.4.1', '1.4.2'], random),
        plan: pick(['free', 'pro'], random),
      },
    };
    const count = 1 + Math.floor(random() * 3);
    for (let index = 0; index < count; index++) {
      const keptFor = probability !== undefined && random() < 0.2 ? 'errors' : undefined;
      const weight = probability === undefined || keptFor ? 1 : 1 / probability;
      const start = began + index * 60_000;
      const traceId = hex(visits.length + 1, 32);
      const kind = index ? 'route' : 'load';
      const route = pick(ROUTES, random);
      const duration = Math.floor(random() * 4_000);
      visits.push({
        ...of,
        traceId,
        start,
        kind,
        route,
        duration,
        weight,
        probability,
        keptFor,
        ...events(kind, random),
      });
    }
  }
  return visits;
}

function events(kind: string, random: () => number): Pick<Visit, 'vitals' | 'requests' | 'errors'> {
  const names = kind === 'load' ? Object.keys(VITALS) : ['INP'];
  const vitals = Object.fromEntries(
    names.map((name) => [name, Number((random() * VITALS[name as keyof typeof VITALS]).toFixed(3))]),
  );
  const id = Math.floor(random() * 1_000);
  const failed = random() < 0.1;
  const requests = [
    { method: 'GET', url: 'https://shop.test/api/products?page=2', target: 'shop.test/api/products' },
    { method: 'POST', url: `https://shop.test/api/cart/${id}`, target: 'shop.test/api/cart/:id' },
  ].map((one, index) => ({
    ...{ ...one, duration: Math.floor(random() * 3_000) },
    ...{ failed: failed && index === 1, status: failed && index === 1 ? 500 : 200 },
  }));
  const errors =
    random() < 0.2
      ? [
          pick(
            [
              {
                type: 'TypeError',
                message: `Cannot read cart ${id}`,
                folded: 'Cannot read cart #',
                frame: 'checkout (app.mjs)',
                line: 10,
              },
              {
                type: 'Error',
                message: `no room for 4f2a9c11${hex(id, 4)}`,
                folded: 'no room for #',
                frame: 'store (db.mjs)',
                line: 7,
              },
            ],
            random,
          ),
        ]
      : [];
  return { vitals, requests, errors };
}

type Value = string | number | undefined;
const attributes = (values: Record<string, Value>): object[] =>
  Object.entries(values).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [{ key, value: typeof value === 'string' ? { stringValue: value } : { doubleValue: value } }],
  );
const nano = (millis: number): string => String(BigInt(Math.round(millis * 1_000)) * 1_000n);

/** An `ExportTraceServiceRequest` for every visit; vitals and what follows an error come in a further one. */
export function requestsOf(visits: Visit[]): object[] {
  let ids = 0;
  return visits.flatMap((visit) => {
    const { traceId, start, duration } = visit;
    const span = (
      name: string,
      parentSpanId: string,
      length: number,
      own: Record<string, Value>,
      more: object = {},
    ) => ({
      ...{ traceId, spanId: hex(++ids, 16), parentSpanId, name, kind: 1 },
      ...{ startTimeUnixNano: nano(start), endTimeUnixNano: nano(start + length) },
      attributes: attributes({ 'session.id': visit.session, 'user.id': visit.user, ...own }),
      ...more,
    });
    const exceptions = visit.errors.map(({ type, message, frame, line }) => {
      const [name, file] = frame.replace(')', '').split(' (');
      const stack = `${type}: ${message}\n    at ${name} (https://shop.test/assets/${file}:${line}:3)`;
      const told = { 'exception.type': type, 'exception.message': message, 'exception.stacktrace': stack };
      return { name: 'exception', timeUnixNano: nano(start + 50), attributes: attributes(told) };
    });
    const root = span(
      `${visit.kind} ${visit.route}`,
      '',
      duration,
      {
        ...{ 'spandrel.activity.type': visit.kind, 'url.template': visit.route, 'shop.plan': visit.plan },
        ...{ 'spandrel.sampling.probability': visit.probability, 'spandrel.sampling.reason': visit.keptFor },
        ...(visit.kind === 'load' && {
          'user_agent.original': visit.userAgent,
          'geo.country.iso_code': visit.country,
        }),
      },
      { events: exceptions },
    );
    const requests = visit.requests.map(({ method, url, duration: length, status, failed }, index) =>
      span(
        ...([method, root.spanId, length] as const),
        { 'http.request.method': method, 'url.full': url, 'http.response.status_code': status },
        // What failed is told where it was thrown, and above.
        { kind: 3, ...(failed && { status: { code: 2 } }), ...(index === 1 && { events: exceptions }) },
      ),
    );
    const vital = (name: string, value: number, moment: number) =>
      span(`web-vital ${name}`, root.spanId, moment, {
        ...{ 'browser.web_vital.name': name.toLowerCase(), 'browser.web_vital.value': value },
        'browser.web_vital.id': `v5-${traceId}-${name}`,
      });
    const vitals = Object.entries(visit.vitals).flatMap(([name, value]) =>
      name === 'CLS' ? [vital(name, value / 2, 1), vital(name, value, 2)] : [vital(name, value, 1)],
    );
    const resource = { attributes: attributes({ 'service.name': 'shop', 'service.version': visit.release }) };
    return [[root, ...requests], vitals].map((spans) => ({
      resourceSpans: [{ resource, scopeSpans: [{ spans }] }],
    }));
  });
}
