import type { ForwardCounts, ForwardSummary } from '../../forward/summary.js';
import { bytesInWords, millisInWords, plural, printable } from '../printable.js';
import type { Terminal } from '../terminal.js';
import { windowInWords } from '../window.js';

const ENDS: Record<ForwardSummary['ended'], string> = {
  done: 'done',
  aborted: 'stopped',
  'store-failed': 'the store failed',
  'backend-busy': 'the backend asks for patience',
  'backend-failed': 'the backend failed',
};

export function inQuarantine(quarantined: ForwardCounts['quarantined']): number {
  return Object.values(quarantined).reduce((sum, count) => sum + count, 0);
}

/** Which time a pass has looked at, and how to look at more. */
export function windowLine({ window }: ForwardSummary): string {
  const { lookBackMinutes } = window;
  const further = lookBackMinutes === undefined ? '' : `, as far back as --after keep goes; ${LOOK_FURTHER}`;
  return `looked at ${windowInWords(window)}${further}`;
}

export const LOOK_FURTHER = '--from 30d looks further back';

/** What went. Logs are told of where there are any. */
export function itemsInWords({ spans, logRecords }: { spans: number; logRecords: number }): string {
  const records = plural(logRecords, 'log record');
  if (logRecords === 0) return plural(spans, 'span');
  return spans === 0 ? records : `${plural(spans, 'span')}, ${records}`;
}

/** Prints what a pass did as a table of counts, leaving out what did not occur. */
export function saySummary(summary: ForwardSummary, dryRun: boolean, terminal: Terminal): void {
  const { colours } = terminal;
  const { sent, rejectedSpans, requests, sentBytes } = summary;
  const rows: [name: string, count: number, more?: string | undefined][] = [
    ['listed', summary.listed],
    [
      dryRun ? 'would be sent' : 'sent',
      sent,
      dryRun
        ? undefined
        : `${itemsInWords(summary)} in ${plural(requests, 'request')}, ${bytesInWords(sentBytes)}`,
    ],
    ['sent before', summary.alreadyDone],
    ["another forwarder's", summary.busy],
    ['vanished', summary.vanished, 'deleted by another'],
    ['skipped', summary.skipped, 'not asked for, or no OTLP by their keys'],
    ...Object.entries(summary.quarantined).map(([reason, count]): [string, number, string] => [
      'quarantined',
      count,
      colours.yellow(reason),
    ]),
    ['left', summary.left, colours.red(ENDS[summary.ended])],
    ['refused spans', rejectedSpans, colours.yellow('by the backend')],
  ];
  const shown = rows.filter(([name, count]) => count > 0 || name === 'listed');
  const width = Math.max(...shown.map(([name]) => name.length));
  const digits = Math.max(...shown.map(([, count]) => count.toLocaleString('en').length));
  for (const [name, count, more] of shown) {
    const figure = count.toLocaleString('en').padStart(digits);
    terminal.say(`${name.padEnd(width)}  ${colours.bold(figure)}${more ? `  ${colours.dim(more)}` : ''}`);
  }
  terminal.say(colours.dim(windowLine(summary)));
  const why = summary.message === undefined ? '' : `: ${printable(summary.message)}`;
  terminal.say(`${ENDS[summary.ended]} after ${millisInWords(summary.durationMillis)}${why}`);
}
