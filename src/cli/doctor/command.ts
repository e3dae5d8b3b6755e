import { addBucketFlags, type BucketFlags, findBucket } from '../bucket-options.js';
import { type AddCommand, type CommonOptions, InvalidArgumentError, wholeNumber } from '../command.js';
import { EXIT, usageError } from '../failure.js';
import { ask } from '../http.js';
import { CHECKS } from './checks.js';
import { diagnose } from './doctor.js';
import { findingLines, sayDiagnosis } from './report.js';
import type { DoctorSettings } from './settings.js';

interface DoctorFlags extends CommonOptions, BucketFlags {
  endpoint: string;
  origin?: string;
  project?: string;
  page?: string;
  ignore?: string[];
  timeout: number;
  settings?: true;
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
spandrel doctor --endpoint https://shop.example/spandrel --json | jq '.findings[] | select(.status == "fail")'`,
    action: async (session, flags) => {
      const { terminal, signal } = session;
      const settings: DoctorSettings = {
        ...readPlaces(flags),
        project: flags.project,
        owned: await findBucket(flags, session),
      };
      if (terminal.isWatched)
        terminal.talk(
          terminal.talkColours.dim(
            `Looking at ${settings.endpoint.origin} as a page of ${settings.origin} …`,
          ),
        );
      const diagnosis = await diagnose({
        settings,
        ask: (url, request) => ask(url, { timeoutMillis: flags.timeout * 1_000, signal, ...request }),
        ignored: flags.ignore ?? [],
        onFinding: (finding) => {
          for (const line of findingLines(finding, terminal)) terminal.say(line);
        },
      });
      terminal.document(diagnosis);
      sayDiagnosis(diagnosis, terminal, flags.settings === true);
      return diagnosis.ok ? EXIT.fine : EXIT.wrong;
    },
  })
    .requiredOption('--endpoint <url>', 'the endpoint; a path stands for one on --origin')
    .option('--origin <origin>', "the page's origin, such as https://shop.example (default: the endpoint's)")
    .option('--project <key>', 'public project key, where the endpoint serves several')
    .option('--page <url>', 'a page whose Content-Security-Policy is looked at')
    .option('--ignore <ids...>', 'findings that are accepted, such as bucket.lifecycle', takeId)
    .option('--settings', 'print the CORS, lifecycle and CSP settings also where nothing is wrong with them')
    .option('--timeout <seconds>', 'for each request', wholeNumber(1, 300), 15);
  addBucketFlags(command);
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
