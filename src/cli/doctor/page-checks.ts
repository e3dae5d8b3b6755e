import { isInnerAddress } from '../hosts.js';
import { type Ask, HttpError } from '../http.js';
import { bareUrl, printable } from '../printable.js';
import { allowsUrl, connectSources, policiesOf } from './csp.js';
import { type Check, check, fail, ok, skip, type World } from './world.js';

const MAX_PAGE_BYTES = 2_097_152;
const MAX_REDIRECTS = 3;

export const PAGE_CHECKS = {
  'page.csp': check(
    "the page's policy lets it connect",
    (world) => world,
    async (world) => {
      const { page, endpoint, origin } = world.settings;
      if (!page) return skip('give --page to have its policy looked at');
      const answer = await open(page, world);
      if (typeof answer === 'string') {
        return fail(answer, 'give --page an address that answers with the page');
      }
      const needed = [endpoint, ...(world.bucketOrigin ? [new URL(world.bucketOrigin)] : [])];
      const restricting = policiesOf(answer.header, answer.html).flatMap((policy) => {
        const sources = connectSources(policy);
        return sources ? [sources] : [];
      });
      const blocked = needed.filter((url) => restricting.some((sources) => !allowsUrl(sources, url, origin)));
      if (blocked.length === 0) {
        return ok(restricting.length > 0 ? undefined : 'no policy restricts connections');
      }
      const origins = [...new Set(blocked.map((url) => printable(url.origin)))];
      return fail(`connect-src lacks ${origins.join(' and ')}`, 'set the line below');
    },
  ),
} satisfies Record<string, Check>;

async function open(
  page: URL,
  { ask, askForeign }: World,
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
