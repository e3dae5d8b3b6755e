// The check of imports, on planted offences.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkImports } from '../support/check-imports.mjs';

/** @param {Record<string, string>} files */
async function checked(files) {
  const root = await mkdtemp(path.join(tmpdir(), 'spandrel-imports-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), text);
    }
    return checkImports(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

test('imports: src is clean', () => {
  assert.deepEqual(checkImports(), []);
});

/** @type {[name: string, text: string, expected: RegExp][]} */
const OFFENCES = [
  ['platform/a.ts', "import { b } from '../pipeline/retry.js';", /pipeline are above ground/],
  ['pipeline/retry.ts', "import { start } from '../start.js';", /composition are above pipeline/],
  ['pipeline/retry.ts', "import { x } from './compress.js';", /a stage knows no other stage/],
  ['pipeline/retry.ts', "import type { X } from './trace-buffer.js';", /a stage knows no other stage/],
  ['pipeline/retry.ts', "import { uuid } from '../platform/uuid.js';", /as parameters/],
  ['spa/fetch.ts', "import { x } from '../pipeline/compress.js';", /only those who join stages/],
  ['pipeline/retry.ts', "import { s3 } from '../server/s3.js';", /nothing of the server/],
  ['index.ts', "export { s3 } from './server/s3.js';", /nothing of the server/],
  [
    'server/s3.ts',
    "import { x } from '../platform/http.js';",
    /shares wire\/, protocol\.ts and object-key\.ts/,
  ],
  [
    'pipeline/retry.ts',
    "import { gzipSync } from 'fflate';",
    /only pipeline\/compress-fflate\.ts imports fflate/,
  ],
  ['platform/a.ts', "import fs from 'node:fs';", /runs in browsers/],
  ['pipeline/retry.ts', 'setTimeout(() => {}, 1);', /names setTimeout/],
  ['pipeline/retry.ts', 'const now = Date.now();', /names Date\.now/],
  ['diagnostics/a.ts', 'globalThis.document;', /names document/],
  ['protocol.ts', "import { x } from './start.js';", /composition are above leaves/],
  ['elsewhere/a.ts', '', /in no layer/],
];
for (const [name, text, expected] of OFFENCES) {
  test(`imports: ${name} with ${text || 'nothing'} is told by line`, async () => {
    const found = await checked({ [name]: `// A comment.\n${text}\n` });
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', expected);
    if (text) assert.ok(found[0]?.startsWith(`src/${name}:2: `), found[0]);
  });
}

/** @type {[name: string, text: string][]} */
const FINE = [
  ['pipeline/retry.ts', "import type { Platform } from '../platform/platform.js';"],
  ['pipeline/encode.ts', "import { quote } from './encode-attributes.js';"],
  [
    'pipeline/retry.ts',
    '// setTimeout would not do here\nconst a = { fetch: 1, document: 2 }; platform.fetch(a);',
  ],
  ['server/key-issuer.ts', "import { objectKey } from '../object-key.js';"],
  ['diagnostics/stats.ts', "import type { DropReason } from '../pipeline/model.js';"],
  ['platform/browser.ts', 'setTimeout(() => document.title, performance.now());'],
  ['pipeline/retry.test.ts', "import fs from 'node:fs';"],
];
for (const [name, text] of FINE) {
  test(`imports: ${name} with ${text} is fine`, async () => {
    assert.deepEqual(await checked({ [name]: text }), []);
  });
}
