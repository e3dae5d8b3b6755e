import { InvalidArgumentError } from './command.js';

const UNIT_MILLIS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Takes `90m`, `24h`, `7d`, `2w`; milliseconds. */
export function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('It takes a time such as 90m, 24h or 7d.');
  return Number(count) * (UNIT_MILLIS[unit] ?? 0);
}

/** Takes a date, a date with a time (UTC where it names no zone), or a time ago such as `24h`; epoch milliseconds. */
export function moment(text: string): number {
  if (/^\d{1,6}[mhdw]$/.test(text)) return Date.now() - duration(text);
  const [, date, time = '00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  const millis = Date.parse(`${date}T${time}${zone}`);
  if (!Number.isNaN(millis)) return millis;
  throw new InvalidArgumentError('It takes 2026-11-20, 2026-11-20T14:30 (UTC), or a time ago such as 24h.');
}
