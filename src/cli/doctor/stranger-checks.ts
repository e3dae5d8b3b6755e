import { exchange, relayUrl } from './exchange.js';
import { type Examination, FOREIGN_ORIGIN } from './settings.js';

/** Whether the endpoint gives nothing to those whom it is not for. */
export async function checkStrangers(examination: Examination): Promise<void> {
  await checkMethod(examination);
  await checkForeignOrigin(examination);
  await checkForgery(examination);
}

async function checkMethod({ ask, settings, findings }: Examination): Promise<void> {
  const { status } = await ask(settings.endpoint, { headers: { origin: settings.origin } });
  if (status === 405) findings.ok('endpoint.method');
  else findings.warn('endpoint.method', `GET answers ${status}`, 'send all of this path to createIngest()');
}

async function checkForeignOrigin(examination: Examination): Promise<void> {
  const { status } = await exchange(examination, [], FOREIGN_ORIGIN);
  const { findings } = examination;
  if (status === 403) findings.ok('endpoint.foreign-origin');
  else
    findings.warn(
      'endpoint.foreign-origin',
      `a page of ${FOREIGN_ORIGIN} gets ${status}`,
      'name your own origins in allowedOrigins of createIngest(), not all',
    );
}

async function checkForgery(examination: Examination): Promise<void> {
  const { settings, findings, ask } = examination;
  const { status } = await ask(relayUrl(settings.endpoint, 'forged-id', settings.project), {
    method: 'POST',
    headers: { origin: settings.origin },
    body: 'not gzip',
  });
  if (status >= 400 && status < 500) findings.ok('endpoint.forgery');
  else
    findings.fail(
      'endpoint.forgery',
      `a relay with a forged id gets ${status}`,
      'send all of this path, with its query, to createIngest()',
    );
}
