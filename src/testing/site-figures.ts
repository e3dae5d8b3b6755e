/** The figures that plain code finds in visits. */
import type { Visit } from './site-visits.js';

const BOUNDS: Record<string, [good: number, poor: number]> = {
  ...{ LCP: [2_500, 4_000], INP: [200, 500], CLS: [0.1, 0.25] },
  ...{ FCP: [1_800, 3_000], TTFB: [800, 1_800] },
};

interface Weighed {
  value: number;
  weight: number;
}

/** The least value that so large a share of the weight does not exceed. */
function quantile(all: Weighed[], share: number): number {
  const sorted = [...all].sort((a, b) => a.value - b.value);
  const whole = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let upto = 0;
  for (const { value, weight } of sorted) {
    upto += weight;
    if (upto >= whole * share * (1 - 1e-9)) return value;
  }
  return Number.NaN;
}
const sum = (all: Weighed[]): number => all.reduce((total, { weight }) => total + weight, 0);

function groupBy<T>(all: T[], key: (one: T) => string): Record<string, T[]> {
  const groups: Record<string, T[]> = {};
  for (const one of all) {
    const group = groups[key(one)] ?? [];
    group.push(one);
    groups[key(one)] = group;
  }
  return groups;
}
const mapValues = <T, U>(groups: Record<string, T>, to: (value: T, key: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(groups).map(([key, value]) => [key, to(value, key)]));

function vitalFigures(all: Weighed[], name: string) {
  const [good, poor] = BOUNDS[name] as [number, number];
  const bins = Array<number>(31).fill(0);
  for (const { value, weight } of all) {
    const bin = Math.min(30, Math.floor((value * 10) / good));
    bins[bin] = (bins[bin] ?? 0) + weight;
  }
  return {
    ...{ count: sum(all), p75: quantile(all, 0.75), bins },
    good: sum(all.filter(({ value }) => value <= good)),
    middling: sum(all.filter(({ value }) => value > good && value <= poor)),
    poor: sum(all.filter(({ value }) => value > poor)),
  };
}

/** What the overview is to answer. */
export function figuresOf(visits: Visit[], by: keyof Visit) {
  const vitals = visits.flatMap((visit) =>
    Object.entries(visit.vitals).map(([name, value]) => ({
      name,
      value,
      weight: visit.weight,
      side: String(visit[by]),
    })),
  );
  const requests = visits.flatMap(({ weight, requests: all }) =>
    all.map((one) => ({ ...one, value: one.duration, weight, key: `${one.method} ${one.target}` })),
  );
  const failing = Object.values(
    groupBy(
      requests.filter(({ failed }) => failed),
      ({ key }) => key,
    ),
  );
  return {
    traces: visits.length,
    weight: sum(visits.map(({ weight }) => ({ value: 0, weight }))),
    sessions: new Set(visits.map(({ session }) => session)).size,
    vitals: Object.fromEntries(
      Object.entries(
        mapValues(
          groupBy(vitals, ({ name }) => name),
          vitalFigures,
        ),
      ).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    sides: mapValues(
      groupBy(vitals, ({ side, name }) => `${side} ${name}`),
      (all) => vitalFigures(all, all[0]?.name ?? ''),
    ),
    errors: errorFigures(visits),
    failing: failing.map((all) => [all[0]?.method, all[0]?.target, Math.round(sum(all))]),
    slow: mapValues(
      groupBy(requests, ({ key }) => key),
      (all) => ({ p75: quantile(all, 0.75), p95: quantile(all, 0.95) }),
    ),
    routes: mapValues(
      groupBy(visits, ({ kind, route }) => `${kind} ${route}`),
      (all) =>
        quantile(
          all.map(({ duration: value, weight }) => ({ value, weight })),
          0.75,
        ),
    ),
    steps: (from: number, step: number) => stepFigures(visits, from, step),
  };
}

function errorFigures(visits: Visit[]): unknown[] {
  const met = visits.flatMap((visit) => visit.errors.map((error) => ({ visit, error })));
  return Object.values(groupBy(met, ({ error }) => `${error.type} ${error.folded}`))
    .map((all) => ({
      error: all[0]?.error,
      seen: all.length,
      weight: sum(all.map(({ visit: { weight } }) => ({ value: 0, weight }))),
      sessions: new Set(all.map(({ visit }) => visit.session)).size,
      users: new Set(all.flatMap(({ visit }) => visit.user ?? [])).size,
      since: [...all].sort((a, b) => a.visit.start - b.visit.start)[0]?.visit.release,
    }))
    .sort((a, b) => b.sessions - a.sessions || b.weight - a.weight)
    .map(({ error, seen, sessions, users, since }) => [
      error?.type,
      error?.folded,
      error?.frame,
      seen,
      sessions,
      users,
      since,
    ]);
}

function stepFigures(visits: Visit[], from: number, step: number): number[][] {
  return Object.entries(
    groupBy(visits, ({ start }) => String(from + Math.floor((start - from) / step) * step)),
  )
    .map(([moment, all]) => {
      const sessions = Object.values(groupBy(all, ({ session }) => session));
      const failed = all.filter(({ errors }) => errors.length);
      return [
        ...[
          Number(moment),
          sessions.reduce((total, of) => total + Math.max(...of.map(({ weight }) => weight)), 0),
        ],
        ...[
          sum(all.map(({ weight }) => ({ value: 0, weight }))),
          sum(failed.map(({ weight }) => ({ value: 0, weight }))),
        ],
      ];
    })
    .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
}
