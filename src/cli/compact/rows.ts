import type { CompactCounts, CompactSummary } from '../../compact/summary.js';
import { bytesInWords, millisInWords, plural, printable } from '../printable.js';
import type { Terminal } from '../terminal.js';
import type { ParquetSummary } from './parquet.js';

/** A name, a count, and what there is to say of it. */
export type Row = [name: string, count: number, more?: string | undefined];

const ENDS: Record<CompactSummary['ended'], string> = {
  done: 'done',
  aborted: 'stopped',
  'store-failed': 'the store failed',
};

export function inQuarantine(quarantined: CompactCounts['quarantined']): number {
  return Object.values(quarantined).reduce((sum, count) => sum + count, 0);
}

/** Prints what a pass did as a table of counts, leaving out what did not occur. */
export function saySummary(summary: CompactSummary, dryRun: boolean, terminal: Terminal): void {
  const { colours } = terminal;
  const { written, writtenBytes, readBytes, spans } = summary;
  const perSpan = spans > 0 ? `, ${Math.round(writtenBytes / spans)} B a span` : '';
  sayRows(
    [
      ['listed', summary.listed],
      [dryRun ? 'would be compacted' : 'compacted', summary.compacted, bytesInWords(readBytes)],
      [
        dryRun ? 'would be written' : 'written',
        written,
        `${bytesInWords(writtenBytes)}, ${plural(spans, 'span')}${perSpan}`,
      ],
      ['kept', summary.kept, 'alone, or compacted before'],
      ['left over', summary.leftOver, 'compacted before, deleted now'],
      ['too young', summary.tooYoung, 'for a later pass'],
      ['busy', summary.busy, 'others work on them'],
      ['vanished', summary.vanished, 'deleted by another'],
      ['skipped', summary.skipped, 'no trace objects by their keys'],
      ...Object.entries(summary.quarantined).map(
        ([reason, count]): Row => ['quarantined', count, colours.yellow(reason)],
      ),
      ['left', summary.left, colours.red(ENDS[summary.ended])],
      ['duplicate spans', summary.duplicateSpans, 'left out'],
      ['spans of bots', summary.botSpans, 'left out'],
      ['spans whose time is up', summary.expiredSpans, 'left out'],
    ],
    terminal,
  );
  const why = summary.message === undefined ? '' : `: ${printable(summary.message, 400)}`;
  terminal.say(`${ENDS[summary.ended]} after ${millisInWords(summary.durationMillis)}${why}`);
}

export function sayParquet(parquet: ParquetSummary, terminal: Terminal): void {
  const { days, upToDate, busy, files, bytes, spans, unreadable } = parquet;
  const perSpan = spans > 0 ? `, ${Math.round(bytes / spans)} B a span` : '';
  sayRows(
    [
      [
        'days as Parquet',
        days,
        `${plural(files, 'file')}, ${bytesInWords(bytes)}, ${plural(spans, 'span')}${perSpan}`,
      ],
      ['days as they were', upToDate],
      ['days that are busy', busy, 'others work on them'],
      ['unreadable objects', unreadable, 'left out'],
    ],
    terminal,
  );
}

/** The first always, others where there is something to count. */
export function sayRows(rows: readonly Row[], { colours, say }: Terminal): void {
  const shown = rows.filter(([, count], index) => count > 0 || index === 0);
  const width = Math.max(...shown.map(([name]) => name.length));
  const digits = Math.max(...shown.map(([, count]) => count.toLocaleString('en').length));
  for (const [name, count, more] of shown) {
    const figure = count.toLocaleString('en').padStart(digits);
    say(`${name.padEnd(width)}  ${colours.bold(figure)}${more ? `  ${colours.dim(more)}` : ''}`);
  }
}
