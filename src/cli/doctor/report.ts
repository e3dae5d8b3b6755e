import { plural, printable } from '../printable.js';
import type { Terminal } from '../terminal.js';
import { type Diagnosis, type Finding, NOT_REACHED } from './doctor.js';

/** One finding, with what to change under it. */
export function findingLines({ id, status, title, seen, advice }: Finding, { colours }: Terminal): string[] {
  const mark = {
    ok: colours.green('✓'),
    warn: colours.yellow('!'),
    fail: colours.red('✗'),
    skip: colours.dim('–'),
  }[status];
  const what = status === 'ok' || status === 'skip' ? title : colours.bold(title);
  const lines = [`${mark} ${what}${seen ? colours.dim(`  ${seen}`) : ''}`];
  if (advice) lines.push(`    ${colours.dim(`[${id}]`)} ${advice}`);
  return lines;
}

/** What comes after the findings: what was not reached, what to set, and the count. */
export function sayDiagnosis(diagnosis: Diagnosis, terminal: Terminal, allSettings: boolean): void {
  const { colours } = terminal;
  const { counts, findings, settings } = diagnosis;
  const unreached = findings.filter(({ status, seen }) => status === 'skip' && seen === NOT_REACHED);
  if (unreached.length) terminal.say(colours.dim(`– ${plural(unreached.length, 'check')} not reached`));
  const block = (heading: string, value: unknown): void => {
    terminal.say();
    terminal.say(colours.bold(heading));
    terminal.say(typeof value === 'string' ? value : jsonOf(value));
  };
  const isWrong = (ids: RegExp): boolean =>
    allSettings ||
    findings.some(({ id, status }) => ids.test(id) && (status === 'fail' || status === 'warn'));
  if (isWrong(/^bucket\.(preflight|cors)/)) {
    block("The bucket's CORS rules, for R2's dashboard:", settings.corsR2);
    block('The same for `wrangler r2 bucket cors set <bucket> --file cors.json`:', settings.corsWrangler);
    block('The same for `aws s3api put-bucket-cors --cors-configuration file://cors.json`:', settings.corsS3);
  }
  if (isWrong(/^bucket\.lifecycle/)) {
    block(
      'A lifecycle rule for `wrangler r2 bucket lifecycle set <bucket> --file lifecycle.json`:',
      settings.lifecycleWrangler,
    );
    block('The same for `aws s3api put-bucket-lifecycle-configuration`:', settings.lifecycle);
  }
  if (isWrong(/^page\.csp/))
    block("In the page's Content-Security-Policy, beside what is there:", settings.csp);
  if (diagnosis.leftKeys.length) {
    terminal.say();
    terminal.say(
      colours.bold('Objects that doctor wrote and that are still there (service.name spandrel-doctor):'),
    );
    for (const key of diagnosis.leftKeys) terminal.say(printable(key, 1_024));
  }
  terminal.say();
  const { ok, warn, fail, skip } = counts;
  const count = [
    colours.green(`${ok} fine`),
    ...(warn ? [colours.yellow(`${warn} to look at`)] : []),
    ...(fail ? [colours.red(`${fail} wrong`)] : []),
    ...(skip ? [colours.dim(`${skip} skipped`)] : []),
  ];
  terminal.say(count.join(', '));
}

/** JSON with lists of texts on one line. */
function jsonOf(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /\[\s+("[^"[\]]*"(?:,\s+"[^"[\]]*")*)\s+\]/g,
    (_, texts: string) => {
      return `[${texts.replace(/\s+/g, ' ')}]`;
    },
  );
}
