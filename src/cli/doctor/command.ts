import { addBucketFlags, type BucketFlags, findBucket, type OwnedBucket } from '../bucket-options.js';
import {
  type AddCommand,
  type CommonOptions,
  InvalidArgumentError,
  Option,
  type Session,
  wholeNumber,
} from '../command.js';
import { EXIT, usageError } from '../failure.js';
import { type Ask, ask } from '../http.js';
import { printable } from '../printable.js';
import type { Terminal } from '../terminal.js';
import { CHECKS } from './checks.js';
import { type Diagnosis, diagnose } from './doctor.js';
import { type Fix, isSameBucket, planFixes, writeFix } from './fix.js';
import { SUGGESTED_DAYS } from './recipes.js';
import { findingLines, sayDiagnosis } from './report.js';
import type { DoctorSettings } from './world.js';

/** Of rules that are printed; stores take 100 of them. */
const MAX_RULES_CHARS = 65_536;

interface DoctorFlags extends CommonOptions, BucketFlags {
  endpoint: string;
  origin?: string;
  project?: string;
  page?: string;
  ignore?: string[];
  timeout: number;
  settings?: true;
  fix?: true;
  yes?: true;
  keepDays?: number;
}

export function doctorCommand(add: AddCommand): void {
  const command = add<DoctorFlags>('doctor', {
    summary: 'examines an endpoint and its bucket, and says what to change',
    description:
      'Examines an endpoint and its bucket from outside, as a page would: uploads one tiny trace, tries what must not ' +
      'be possible, and says what to change. With credentials of the bucket it also reads back, deletes, and looks at the rules.',
    examples: `
spandrel doctor --endpoint https://shop.example/spandrel
spandrel doctor --endpoint https://traces.example/ --origin https://shop.example --page https://shop.example/
spandrel doctor --endpoint https://shop.example/spandrel --bucket traces --s3-endpoint https://<account>.r2.cloudflarestorage.com
spandrel doctor --endpoint https://shop.example/spandrel --bucket traces --region eu-central-1 --fix
spandrel doctor --endpoint https://shop.example/spandrel --json | jq '.findings[] | select(.status == "fail")'`,
    action: async (session, flags) => {
      const { terminal, signal } = session;
      const owned = await findBucket(flags, session);
      const settings: DoctorSettings = {
        ...readPlaces(flags),
        project: flags.project,
        owned,
        ...(flags.keepDays === undefined ? {} : { keepDays: flags.keepDays }),
      };
      const { confirm } = session;
      if (flags.fix && !owned)
        throw usageError('--fix writes to the bucket: give --bucket and its credentials');
      if (flags.fix && !flags.yes && (flags.json || !confirm)) {
        throw usageError('--fix asks before it writes, and nobody is at the terminal: give --yes');
      }
      if (terminal.isWatched)
        terminal.talk(
          terminal.talkColours.dim(
            `Looking at ${settings.endpoint.origin} as a page of ${settings.origin} …`,
          ),
        );
      const askInTime: Ask = (url, request) =>
        ask(url, { timeoutMillis: flags.timeout * 1_000, signal, ...request });
      const look = (): Promise<Diagnosis> =>
        diagnose({
          settings,
          ask: askInTime,
          ignored: flags.ignore ?? [],
          onFinding: (finding) => {
            for (const line of findingLines(finding, terminal)) terminal.say(line);
          },
        });
      let diagnosis = await look();
      let fixed: Fix[] = [];
      if (flags.fix && owned) {
        fixed = await fix(
          diagnosis,
          { owned, ask: askInTime },
          flags.yes ? async () => true : confirm,
          terminal,
        );
        if (fixed.some(({ status }) => status === 'written')) diagnosis = await look();
      }
      terminal.document({ ...diagnosis, ...(flags.fix ? { fixed } : {}) });
      sayDiagnosis(diagnosis, terminal, flags.settings === true);
      return diagnosis.ok && fixed.every(({ status }) => status !== 'failed') ? EXIT.fine : EXIT.wrong;
    },
  })
    .requiredOption('--endpoint <url>', 'the endpoint; a path stands for one on --origin')
    .option('--origin <origin>', "the page's origin, such as https://shop.example (default: the endpoint's)")
    .option('--project <key>', 'public project key, where the endpoint serves several')
    .option('--page <url>', 'a page whose Content-Security-Policy is looked at')
    .option('--ignore <ids...>', 'findings that are accepted, such as bucket.lifecycle', takeId)
    .option('--settings', 'print the CORS, lifecycle and CSP settings also where nothing is wrong with them')
    .option('--fix', "write the bucket's CORS and lifecycle rules where they are wrong; asks first")
    .option('--yes', 'with --fix, do not ask')
    .addOption(
      new Option('--keep-days <n>', 'after how many days the lifecycle rule deletes')
        .argParser(wholeNumber(1, 36_500))
        .default(SUGGESTED_DAYS),
    )
    .option('--timeout <seconds>', 'for each request', wholeNumber(1, 300), 15);
  addBucketFlags(command);
}

/** Says what was and what is to be, and writes what is agreed to. */
async function fix(
  diagnosis: Diagnosis,
  target: { owned: OwnedBucket; ask: Ask },
  agrees: Session['confirm'],
  terminal: Terminal,
): Promise<Fix[]> {
  const { bucket } = target.owned.options;
  const { colours } = terminal;
  const fixes = await planFixes(diagnosis, target);
  if (fixes.length === 0) terminal.say('--fix: there is nothing that it could mend');
  for (const one of fixes) {
    const { what, before, after, undo } = one;
    if (one.status === 'planned' && !isSameBucket(diagnosis)) {
      const message =
        "it is not sure that the bucket given is the endpoint's: mend bucket.upload or owner.read first";
      Object.assign(one, { status: 'failed', message });
    }
    if (one.status === 'planned') {
      terminal.say();
      terminal.say(colours.bold(`The ${what} of ${bucket} are, before --fix:`));
      terminal.say(before === null ? 'none' : printable(before, MAX_RULES_CHARS));
      terminal.say(colours.bold('and will be:'));
      terminal.say(printable(after, MAX_RULES_CHARS));
      terminal.say(`To undo it: ${undo}`);
      if (await agrees?.(`Write these ${what} to ${bucket}?`)) await writeFix(one, target);
      else one.status = 'declined';
    }
    const { status, message } = one;
    terminal.say(
      `${status === 'written' ? colours.green('✓') : colours.yellow('!')} ${what}: ${status}${message ? `: ${message}` : ''}`,
    );
  }
  return fixes;
}

function takeId(text: string, before: string[] | undefined): string[] {
  if (!Object.hasOwn(CHECKS, text))
    throw new InvalidArgumentError(`It takes ${Object.keys(CHECKS).join(', ')}.`);
  return [...(before ?? []), text];
}

function readPlaces(flags: DoctorFlags): Pick<DoctorSettings, 'endpoint' | 'origin' | 'page'> {
  const endpoint = urlOf('--endpoint', flags.endpoint, flags.origin);
  const { origin } = flags.origin === undefined ? endpoint : urlOf('--origin', flags.origin);
  return {
    endpoint,
    origin,
    page: flags.page === undefined ? undefined : urlOf('--page', flags.page, origin),
  };
}

function urlOf(flag: string, text: string, base?: string): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return url;
  throw usageError(`${flag} takes an http(s) URL, without user and password`);
}
