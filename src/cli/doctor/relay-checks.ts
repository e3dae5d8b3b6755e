import { randomBytes } from 'node:crypto';
import type { PresignedUpload } from '../../protocol.js';
import { UUID_RANDOM_BYTES, uuidV7 } from '../../server/uuid.js';
import { exchange, relayUrl } from './exchange.js';
import { makeProbe } from './probe.js';
import type { Examination } from './settings.js';
import { errorCodeOf, isRecord, readIssued } from './untrusted-answer.js';

/**
 * Whether the relay stores, for pages that cannot reach the bucket.
 *
 * @param upload whose key is to be used. Where there is none, the endpoint chooses, as for a page that never got one.
 * @returns the token of what was stored.
 */
export async function checkRelay(
  upload: PresignedUpload | undefined,
  examination: Examination,
): Promise<string | undefined> {
  const { settings, findings, ask } = examination;
  const blob = upload ? undefined : uuidV7(Date.now(), randomBytes(UUID_RANDOM_BYTES));
  const url = relayUrl(settings.endpoint, upload?.token ?? '', settings.project, blob);
  const body = makeProbe(Date.now());
  const answer = await ask(url, { method: 'POST', headers: { origin: settings.origin }, body });
  const said = answer.status === 200 ? parse(answer.body) : undefined;
  if (said && typeof said['key'] === 'string' && typeof said['token'] === 'string') {
    examination.left.set(said['key'], body);
    findings.ok('relay.store');
    return said['token'];
  }
  const advice =
    'pages whose visitors block the bucket, and those that leave early, lose what they have: look at onError';
  findings.fail('relay.store', `${answer.status} ${errorCodeOf(answer.body) ?? ''}`.trim(), advice);
  return undefined;
}

/** Whether the endpoint tells what is there from what is not. */
export async function checkConfirm(
  stored: readonly string[],
  missing: readonly string[],
  examination: Examination,
): Promise<void> {
  const { findings } = examination;
  if (stored.length === 0) return;
  const answer = await exchange(examination, { confirm: [...stored, ...missing] });
  const issued = answer.status === 200 ? readIssued(answer.body) : undefined;
  if (issued === undefined || typeof issued === 'string') {
    findings.fail(
      'relay.confirm',
      `${answer.status} ${issued ?? errorCodeOf(answer.body) ?? ''}`.trim(),
      'look at onError of createIngest()',
    );
    return;
  }
  const answers = new Map(issued.confirmed.map((one) => [one.token, one.stored]));
  const wrong = [
    ...stored.filter((token) => answers.get(token) !== true),
    ...missing.filter((token) => answers.get(token) !== false),
  ];
  if (wrong.length === 0) findings.ok('relay.confirm');
  else
    findings.fail(
      'relay.confirm',
      `${wrong.length} of ${stored.length + missing.length} answers are wrong or missing`,
      "give the endpoint's access key the right to read and to list (on S3 s3:GetObject and s3:ListBucket)",
    );
}

function parse(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
