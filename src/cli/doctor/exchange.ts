import type { ExchangeRequest } from '../../protocol.js';
import { VERSION } from '../../version.js';
import type { HttpAnswer } from '../http.js';
import { DOCTOR_SERVICE, type Examination } from './settings.js';

/** One exchange, sent as the SDK sends it: text/plain, without a header of its own, so without a preflight. */
export function exchange(
  { ask, settings }: Examination,
  change: Partial<ExchangeRequest>,
  origin: string = settings.origin,
): Promise<HttpAnswer> {
  const request: ExchangeRequest = {
    ...{
      v: 1,
      client: `${DOCTOR_SERVICE}/${VERSION}`,
      want: 0,
      stored: [],
      confirm: [],
      renew: [],
      lost: {},
    },
    ...(settings.project === undefined ? {} : { project: settings.project }),
    ...change,
  };
  return ask(settings.endpoint, {
    method: 'POST',
    headers: { origin, 'content-type': 'text/plain' },
    body: JSON.stringify(request),
    maxBytes: 1_048_576,
  });
}

/** The relay, as the SDK addresses it. */
export function relayUrl(endpoint: URL, token: string, project: string | undefined, blob?: string): URL {
  const url = new URL(endpoint);
  url.searchParams.set('relay', token);
  if (blob !== undefined) url.searchParams.set('blob', blob);
  if (project !== undefined) url.searchParams.set('project', project);
  return url;
}
