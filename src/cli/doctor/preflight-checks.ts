import type { PresignedUpload } from '../../protocol.js';
import { namesToAsk, preflight, refusedPreflight } from './cors.js';
import { type Examination, FOREIGN_ORIGIN } from './settings.js';

/** Whether the bucket's CORS rules let the page send what the upload wants sent, and other pages not. */
export async function checkPreflight(upload: PresignedUpload, examination: Examination): Promise<void> {
  const { settings, findings, ask } = examination;
  const names = namesToAsk(upload.headers);
  if (upload.method === 'POST' && names.length === 0) {
    findings.skip('bucket.preflight', 'a form needs none');
    findings.skip('bucket.preflight-foreign', 'a form needs none');
    return;
  }
  const refusalFor = async (origin: string): Promise<string | undefined> => {
    const headers = preflight(origin, upload.method, names);
    return refusedPreflight(
      await ask(upload.url, { method: 'OPTIONS', headers }),
      origin,
      upload.method,
      names,
    );
  };
  const asked = `${upload.method} with ${names.join(', ')}`;
  const refusal = await refusalFor(settings.origin);
  if (refusal) findings.fail('bucket.preflight', `${asked}: ${refusal}`, 'set the CORS rules below');
  else findings.ok('bucket.preflight', asked);
  if (await refusalFor(FOREIGN_ORIGIN)) findings.ok('bucket.preflight-foreign');
  else {
    const advice = 'name your own origins in the CORS rules, not *';
    findings.warn('bucket.preflight-foreign', 'every site may use a URL that it got hold of', advice);
  }
}
