import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type BucketFlags, findBucket, parseCredentials } from './bucket-options.js';
import type { Session } from './command.js';
import { createTerminal } from './terminal.js';

const ENV = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'the secret', AWS_SESSION_TOKEN: 'temporary' };

function session(env: Session['env']): Session {
  const silent = { write: () => undefined };
  const terminal = createTerminal({ stdout: silent, stderr: silent, env, json: false });
  return { terminal, env, signal: new AbortController().signal };
}

const optionsOf = async (flags: BucketFlags, env: Session['env'] = ENV) =>
  (await findBucket(flags, session(env)))?.options;

test('bucket options: R2, AWS by its region, and none', async () => {
  const endpoint = 'https://account.r2.cloudflarestorage.com';
  assert.deepEqual(await optionsOf({ bucket: 'traces', s3Endpoint: endpoint }), {
    ...{
      endpoint,
      bucket: 'traces',
      accessKeyId: 'id',
      secretAccessKey: 'the secret',
      sessionToken: 'temporary',
    },
  });
  const aws = await optionsOf({ bucket: 'traces', region: 'eu-central-1' });
  assert.deepEqual([aws?.endpoint, aws?.region], ['https://s3.eu-central-1.amazonaws.com', 'eu-central-1']);
  assert.equal(await optionsOf({}), undefined);
});

test('bucket options: half of them is an error that says which half', async () => {
  const refused = (flags: BucketFlags, env: Session['env'], said: RegExp) =>
    assert.rejects(optionsOf(flags, env), (error: Error & { exitCode?: number }) => {
      assert.equal(error.exitCode, 2);
      assert.match(error.message, said);
      assert.doesNotMatch(error.message, /the secret|temporary/);
      return true;
    });
  await refused({ bucket: 'a' }, {}, /AWS_ACCESS_KEY_ID is not in the environment/);
  await refused({ bucket: 'a' }, ENV, /--s3-endpoint, or for AWS a --region/);
  await refused({ bucket: 'a', region: 'auto' }, ENV, /--s3-endpoint/);
  await refused({ bucket: 'a', s3Endpoint: 'https://u:the secret@x' }, ENV, /--s3-endpoint.*without user/);
  await refused({ bucket: 'a/b', s3Endpoint: 'https://x' }, ENV, /bucket/);
  await refused({ bucket: 'a', credentials: '/nowhere' }, ENV, /--credentials cannot be read \(ENOENT\)/);
});

test('bucket options: a file takes the place of the environment', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-credentials-'));
  const credentials = path.join(folder, 'file');
  await writeFile(credentials, 'AWS_ACCESS_KEY_ID=other\nAWS_SECRET_ACCESS_KEY="quoted secret"\n');
  const options = await optionsOf({ bucket: 'a', s3Endpoint: 'https://x', credentials });
  assert.deepEqual(
    [options?.accessKeyId, options?.secretAccessKey, options?.sessionToken],
    ['other', 'quoted secret', undefined],
  );
  await writeFile(credentials, 'AWS_ACCESS_KEY_ID=other\n');
  await assert.rejects(
    optionsOf({ bucket: 'a', s3Endpoint: 'https://x', credentials }),
    /AWS_SECRET_ACCESS_KEY is not in the file/,
  );
  await rm(folder, { recursive: true });
});

test('credentials: lines, profiles, comments', () => {
  const file = `# mine\nexport AWS_ACCESS_KEY_ID = 'a=b'\n`;
  assert.deepEqual(parseCredentials(file, 'default'), { AWS_ACCESS_KEY_ID: 'a=b' });
  const profiles =
    '[default]\r\naws_access_key_id = a\r\n[profile work]\naws_access_key_id = b\nregion=eu-west-1\n';
  assert.deepEqual(parseCredentials(profiles, 'default'), { AWS_ACCESS_KEY_ID: 'a' });
  assert.deepEqual(parseCredentials(profiles, 'work'), { AWS_ACCESS_KEY_ID: 'b', AWS_REGION: 'eu-west-1' });
});
