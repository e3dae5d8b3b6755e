import { exchange, newId, relayUrl } from './exchange.js';
import { makeProbe, PROBE_BYTES } from './probe.js';
import type { Examination } from './settings.js';
import { errorCodeOf, isRecord, readIssued } from './untrusted-answer.js';

/**
 * Whether the relay stores, for pages that cannot reach the bucket.
 *
 * @returns id and key of what was stored.
 */
export async function checkRelay(
  examination: Examination,
  id: string = newId(),
): Promise<{ id: string; key: string } | undefined> {
  const { settings, findings, ask } = examination;
  const url = relayUrl(settings.endpoint, id, settings.project);
  const body = makeProbe(Date.now());
  const answer = await ask(url, { method: 'POST', headers: { origin: settings.origin }, body });
  const said = answer.status === 200 ? parse(answer.body) : undefined;
  if (said?.['id'] === id && typeof said['key'] === 'string') {
    examination.left.set(said['key'], body);
    findings.ok('relay.store');
    return { id, key: said['key'] };
  }
  const advice =
    'pages whose visitors block the bucket, and those that leave early, lose what they have: look at onError';
  findings.fail('relay.store', `${answer.status} ${errorCodeOf(answer.body) ?? ''}`.trim(), advice);
  return undefined;
}

/** Whether the endpoint tells what is there from what is not. @param stored ids, as `missing`. */
export async function checkConfirm(
  stored: readonly string[],
  missing: readonly string[],
  examination: Examination,
): Promise<void> {
  const { findings } = examination;
  if (stored.length === 0) return;
  const all = [...stored, ...missing];
  const answer = await exchange(
    examination,
    all.map((id) => ({ id, bytes: PROBE_BYTES, again: true })),
  );
  const issued = answer.status === 200 ? readIssued(answer.body) : undefined;
  if (issued === undefined || typeof issued === 'string') {
    findings.fail(
      'relay.confirm',
      `${answer.status} ${issued ?? errorCodeOf(answer.body) ?? ''}`.trim(),
      'look at onError of createIngest()',
    );
    return;
  }
  const given = new Set(issued.uploads.map(({ id }) => id));
  const wrong = [
    ...stored.filter((id) => !issued.stored.includes(id)),
    // Where uploads are given, one for what is not there.
    ...missing.filter((id) => !given.has(id)),
  ];
  if (wrong.length === 0) findings.ok('relay.confirm');
  else
    findings.fail(
      'relay.confirm',
      `${wrong.length} of ${all.length} answers are wrong or missing`,
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
