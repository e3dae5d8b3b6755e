import { namesToAsk, preflight, refusedPreflight } from './cors.js';
import { type Examination, FOREIGN_ORIGIN } from './settings.js';
import type { Upload } from './untrusted-answer.js';

/** Whether the bucket's CORS rules let the page send what the upload wants sent, and other pages not. */
export async function checkPreflight(upload: Upload, examination: Examination): Promise<void> {
  const { settings, findings, askForeign: ask } = examination;
  const names = namesToAsk(upload.headers);
  const { method } = upload;
  if (method === 'POST' && names.length === 0) {
    findings.skip('bucket.preflight', 'a form needs none');
    findings.skip('bucket.preflight-foreign', 'a form needs none');
    return;
  }
  const refusalOf = async (origin: string, asked: readonly string[]): Promise<string | undefined> => {
    const answer = await ask(upload.url, { method: 'OPTIONS', headers: preflight(origin, method, asked) });
    return refusedPreflight(answer, origin, method, asked);
  };
  const refusal = await refusalOf(settings.origin, names);
  if (refusal) {
    const reason = await explain(names, (asked) => refusalOf(settings.origin, asked));
    const seen = `${method} with ${names.join(', ')}: ${refusal}${reason}`;
    findings.fail('bucket.preflight', seen, 'set the CORS rules below, or let --fix do it');
  } else findings.ok('bucket.preflight', `${method} with ${names.join(', ')}`);
  if (await refusalOf(FOREIGN_ORIGIN, names)) findings.ok('bucket.preflight-foreign');
  else {
    const advice = 'name your own origins in the CORS rules, not *';
    findings.warn('bucket.preflight-foreign', 'every site may use a URL that it got hold of', advice);
  }
}

/** A refusal does not say what it is about, so each header is asked for alone. */
async function explain(
  names: readonly string[],
  refusalOf: (asked: readonly string[]) => Promise<string | undefined>,
): Promise<string> {
  if (await refusalOf([])) return '; the origin or the method is in no rule';
  const refused: string[] = [];
  for (const name of names) if (await refusalOf([name])) refused.push(name);
  return refused.length ? `; not in AllowedHeaders: ${refused.join(', ')}` : '';
}
