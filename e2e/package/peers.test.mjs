// What npm says to the OpenTelemetry that an app has, beside the packed package. Nothing is installed.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'spandrel-peers-'));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
const packed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
  cwd: root,
  encoding: 'utf8',
}).trim();

/** An app's, in versions that go together. None: `spandrel/server` or `spandrel/forward` alone. */
const APPS = [
  [],
  ['@opentelemetry/api@1.3.0'],
  ['@opentelemetry/api@latest'],
  ['@opentelemetry/sdk-trace-web@2'],
  ['@opentelemetry/api@1.9.1', '@opentelemetry/sdk-trace-web@2'],
  ['@opentelemetry/api@1.10.0', '@opentelemetry/sdk-trace@3'],
];

for (const app of APPS) {
  test(`peers: npm installs it beside ${app.join(' and ') || 'nothing'}`, () => {
    const { status, stderr } = spawnSync(
      'npm',
      ['install', '--dry-run', '--ignore-scripts', '--no-audit', '--loglevel=error', `./${packed}`, ...app],
      { cwd: folder, encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
  });
}
