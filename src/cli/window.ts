/** Which time a command has looked at. Epoch milliseconds; absent where there is no bound. */
export interface Window {
  fromMillis?: number | undefined;
  untilMillis?: number | undefined;
}

/** `what was stored since 2026-11-20 14:30 and before 2026-11-21 00:00 UTC`, or all there is. */
export function windowInWords({ fromMillis, untilMillis }: Window): string {
  const bounds = [
    ...(fromMillis === undefined ? [] : [`since ${minuteInWords(fromMillis)}`]),
    ...(untilMillis === undefined ? [] : [`before ${minuteInWords(untilMillis)}`]),
  ];
  return bounds.length ? `what was stored ${bounds.join(' and ')} UTC` : 'all there is';
}

function minuteInWords(millis: number): string {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? 'the beginning' : date.toISOString().slice(0, 16).replace('T', ' ');
}
