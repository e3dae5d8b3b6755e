import { erase } from '../../compact/erase.js';
import { type BucketFlags, needBucket } from '../bucket-options.js';
import type { AddCommand, CommonOptions } from '../command.js';
import { EXIT, messageOf, usageError } from '../failure.js';
import { plural, printable } from '../printable.js';
import { addScopeFlags, type ScopeFlags, scopeOf } from './command.js';
import { type Row, sayRows } from './rows.js';

interface EraseFlags extends CommonOptions, BucketFlags, ScopeFlags {
  session?: string[];
  user?: string[];
  trace?: string[];
  dryRun?: true;
}

const several = (text: string, before: string[] = []): string[] => [...before, text];

export function eraseCommand(add: AddCommand): void {
  const command = add<EraseFlags>('erase', {
    summary: 'erases sessions, users or traces from a bucket',
    description:
      'Erases every trace that has a span of these sessions or users, or these traces, out of every object below the ' +
      'prefix. Objects are written anew without them before the old ones are deleted. Reads all objects twice. What lies in ' +
      'quarantine/ and forwarded/, Parquet, and what a backend has been sent are not looked at.',
    examples: `
spandrel erase --user u-42 --dry-run
spandrel erase --session 3b8f… --session 77ac…
spandrel erase --trace 4bf92f3577b34da6a3ce929d0e0e4736 --from 2d`,
    action: async (session, flags) => {
      const { terminal, signal } = session;
      const { storage } = await needBucket(flags, session);
      const dryRun = flags.dryRun === true;
      const summary = await erase({
        ...{ ...scopeOf(flags), storage, signal, dryRun },
        sessions: flags.session ?? [],
        users: flags.user ?? [],
        traces: flags.trace ?? [],
      }).catch((error: unknown) => {
        throw error instanceof TypeError ? usageError(messageOf(error)) : error;
      });
      terminal.document({ dryRun, ...summary });
      const rows: Row[] = [
        ['looked at', summary.listed],
        ['rewritten', summary.rewritten],
        ['deleted', summary.deleted],
        ['unreadable', summary.unreadable, 'what is in them is not known'],
        ['busy', summary.busy, 'others work on them: run this again'],
      ];
      sayRows(rows, terminal);
      const verb = dryRun ? 'would go' : 'went';
      const why = summary.message === undefined ? '' : `: ${printable(summary.message, 400)}`;
      terminal.say(`${plural(summary.spans, 'span')} of ${plural(summary.traces, 'trace')} ${verb}`);
      terminal.say(`${summary.ended}${why}`);
      return summary.ended === 'done' && summary.unreadable === 0 ? EXIT.fine : EXIT.wrong;
    },
  })
    .option('--session <id>', 'a session.id; may be given again', several)
    .option('--user <id>', 'a user.id; may be given again', several)
    .option('--trace <id>', 'a trace id; may be given again', several)
    .option('--dry-run', 'change nothing; say how much would go');
  addScopeFlags(command);
}
