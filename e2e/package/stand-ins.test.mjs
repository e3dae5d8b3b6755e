// What stands for OpenTelemetry in the script tag's file has all that our modules use of it.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';

const ESM = new URL('../../.cache/esm/', import.meta.url);

test('stand-ins: have every member that a module of the client uses', async () => {
  const api = await import(new URL('script/opentelemetry-api.js', ESM).href);
  const files = await readdir(ESM, { recursive: true });
  // The edge has the API itself.
  const client = files.filter((file) => /\.js$/.test(file) && !/^(server|testing|cli|edge)\b/.test(file));
  let seen = 0;
  for (const file of client) {
    const code = await readFile(new URL(file, ESM), 'utf8');
    const [, names = ''] = /import \{([^}]*)\} from '@opentelemetry\/api'/.exec(code) ?? [];
    const imported = names.split(',').map((name) => name.trim());
    for (const name of imported.filter((one) => typeof api[one] === 'object')) {
      for (const [, member = ''] of code.matchAll(new RegExp(`(?<![\\w.-])${name}\\??\\.(\\w+)`, 'g'))) {
        assert.ok(member in api[name], `${file} uses ${name}.${member}`);
        seen++;
      }
    }
  }
  assert.ok(seen > 10);
});
