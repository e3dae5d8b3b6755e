import { isInnerAddress } from '../hosts.js';
import { type Ask, HttpError } from '../http.js';
import { bareUrl, printable } from '../printable.js';
import { allowsUrl, connectSources, policiesOf } from './csp.js';
import type { Examination } from './settings.js';

const MAX_PAGE_BYTES = 2_097_152;
const MAX_REDIRECTS = 3;

/** Whether the policy of a page lets it call the endpoint and the bucket. */
export async function checkPage(examination: Examination): Promise<void> {
  const { settings, findings } = examination;
  if (!settings.page) {
    findings.skip('page.csp', 'give --page to have its policy looked at');
    return;
  }
  const answer = await open(settings.page, examination);
  if (typeof answer === 'string') {
    findings.fail('page.csp', answer, 'give --page an address that answers with the page');
    return;
  }
  const needed = [
    settings.endpoint,
    ...(examination.bucketOrigin ? [new URL(examination.bucketOrigin)] : []),
  ];
  const blocked = new Set<string>();
  let count = 0;
  for (const policy of policiesOf(answer.header, answer.html)) {
    const sources = connectSources(policy);
    if (!sources) continue;
    count += 1;
    for (const url of needed) if (!allowsUrl(sources, url, settings.origin)) blocked.add(url.origin);
  }
  if (blocked.size)
    findings.fail(
      'page.csp',
      `connect-src lacks ${[...blocked].map((one) => printable(one)).join(' and ')}`,
      'set the line below',
    );
  else findings.ok('page.csp', count ? undefined : 'no policy restricts connections');
}

async function open(
  page: URL,
  { ask, askForeign }: Examination,
): Promise<{ header: string | undefined; html: string } | string> {
  let url = page;
  let isHome = false;
  try {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      // The page is the operator's word; where it leads is the page's.
      const via: Ask = hop === 0 || isHome ? ask : askForeign;
      const { status, headers, body, address } = await via(url, {
        headers: { accept: 'text/html' },
        maxBytes: MAX_PAGE_BYTES,
      });
      isHome ||= hop === 0 && address !== undefined && isInnerAddress(address);
      const to = status >= 300 && status < 400 ? headers.location : undefined;
      if (to === undefined) {
        if (status !== 200) return `${bareUrl(url)} answers ${status}`;
        return { header: headers['content-security-policy']?.toString(), html: body.toString() };
      }
      if (!URL.canParse(to, url) || !/^https?:$/.test(new URL(to, url).protocol))
        return 'it redirects to nowhere';
      url = new URL(to, url);
    }
    return 'it redirects again and again';
  } catch (error) {
    if (error instanceof HttpError) return error.message;
    throw error;
  }
}
