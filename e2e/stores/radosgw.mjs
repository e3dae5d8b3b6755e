// Ceph's object gateway on this machine: an S3 server that verifies signatures, policies and CORS rules for real.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { installPackages } from '../support/debian.mjs';

/**
 * @typedef {object} Radosgw
 * @property {string} origin
 * @property {string} dnsName Buckets may stand in front of this name, with the port of `origin`.
 * @property {string} region
 * @property {string} accessKeyId
 * @property {string} secretAccessKey
 */

const PACKAGES = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph-common'];
const COMMANDS = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph', 'ceph-authtool', 'monmaptool', 'radosgw-admin'];
const UP_MILLIS = 60_000;
const USER = {
  region: 'us-east-1',
  accessKeyId: 'testaccesskey',
  secretAccessKey: 'testsecretkey',
  dnsName: 'radosgw.localhost',
};

const missing = () => COMMANDS.filter((command) => !existsSync(`/usr/bin/${command}`));

/** @throws {Error} that says what to install by hand. */
function ensureCeph() {
  if (missing().length > 0) installPackages(PACKAGES);
  if (missing().length === 0) return;
  throw new Error(
    `No ${missing().join(', no ')}. Install the packages ${PACKAGES.join(', ')} (Debian, Ubuntu).`,
  );
}

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });

/** One monitor, one store in memory, one gateway. @param {string} folder @param {string} id @param {number[]} ports */
const configuration = (folder, id, [v2, v1, gateway]) => `[global]
fsid = ${id}
mon host = v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}
public addr = 127.0.0.1
keyring = ${folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail crit = 1
mon data avail warn = 2
mon max pg per osd = 1000
auth allow insecure global id reclaim = true
osd objectstore = memstore
memstore device bytes = 1073741824
run dir = ${folder}/run
admin socket = ${folder}/run/$name.$pid.asok
log file = ${folder}/log/$name.log
pid file = ${folder}/run/$name.pid
[mon.a]
mon data = ${folder}/mon
[osd.0]
osd data = ${folder}/osd
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw data = ${folder}/rgw
rgw dns name = ${USER.dnsName}
rgw run sync thread = false
`;

/** @param {string} command @param {string[]} args @param {number} [timeout] */
function run(command, args, timeout = 30_000) {
  const { status, stderr, error } = spawnSync(command, args, { timeout, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error ?? stderr}`);
}

/**
 * Starts it in a folder of its own, on free ports of the loopback interface: 12 seconds.
 *
 * @returns {Promise<Radosgw & { close: () => Promise<void> }>}
 * @throws {Error} when it cannot be installed, or does not start; what was started is ended then.
 */
export async function startRadosgw() {
  ensureCeph();
  const folder = mkdtempSync(path.join(tmpdir(), 'radosgw-'));
  for (const name of ['mon', 'osd', 'rgw', 'run', 'log']) mkdirSync(`${folder}/${name}`);
  const ports = [await freePort(), await freePort(), await freePort()];
  const [v2, v1, gateway] = ports;
  const id = randomUUID();
  const keyring = `${folder}/keyring`;
  const common = ['-c', `${folder}/ceph.conf`];
  writeFileSync(`${folder}/ceph.conf`, configuration(folder, id, ports));

  /** @type {import('node:child_process').ChildProcess[]} */
  const daemons = [];
  const kill = () => {
    for (const daemon of daemons) daemon.kill('SIGKILL');
  };
  const clean = () => {
    kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', clean);
  const close = async () => {
    kill();
    await Promise.all(
      daemons.map(
        (daemon) => daemon.exitCode ?? daemon.signalCode ?? new Promise((end) => daemon.once('exit', end)),
      ),
    );
    process.off('exit', clean);
    clean();
  };
  /** In the foreground, so that it is our child and nobody else's. @param {string} command @param {string[]} args */
  const start = (command, args) => {
    daemons.push(spawn(command, [...common, '-f', ...args], { stdio: 'ignore' }));
  };

  try {
    run('ceph-authtool', ['--create-keyring', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *']);
    for (const name of ['client.admin', 'client.rgw', 'osd.0']) {
      const caps = ['mon', 'osd', 'mgr', 'mds'].flatMap((kind) => ['--cap', kind, 'allow *']);
      run('ceph-authtool', [keyring, '--gen-key', '-n', name, ...caps]);
    }
    const addresses = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`;
    run('monmaptool', ['--create', '--fsid', id, '--addv', 'a', addresses, `${folder}/monmap`]);
    const monmap = ['--monmap', `${folder}/monmap`, '--keyring', keyring];
    run('ceph-mon', [...common, '--mkfs', '-i', 'a', ...monmap]);
    start('ceph-mon', ['-i', 'a']);
    const osd = randomUUID();
    run('ceph', [...common, 'osd', 'new', osd, '0'], UP_MILLIS);
    run('ceph-osd', [...common, '-i', '0', '--mkfs', '--osd-uuid', osd, '--keyring', keyring]);
    start('ceph-osd', ['-i', '0']);
    start('radosgw', ['-n', 'client.rgw']);
    const origin = `http://127.0.0.1:${gateway}`;
    const deadline = Date.now() + UP_MILLIS;
    while (
      !(await fetch(origin).then(
        ({ status }) => status === 200,
        () => false,
      ))
    ) {
      if (Date.now() > deadline || daemons.some(({ exitCode }) => exitCode !== null))
        throw new Error(`radosgw does not answer; its folder was ${folder}`);
      await delay(100);
    }
    const user = ['--uid=test', '--display-name=test', `--access-key=${USER.accessKeyId}`];
    const secret = `--secret=${USER.secretAccessKey}`;
    run('radosgw-admin', [...common, '-n', 'client.rgw', 'user', 'create', ...user, secret], UP_MILLIS);
    return { ...USER, origin, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where the runner tells its test files of the gateway that it has started for them all. */
export const ENVIRONMENT_NAME = 'RADOSGW';

/** The runner's gateway, or one of the test file's own when it is run by itself. */
export async function useRadosgw() {
  const started = process.env[ENVIRONMENT_NAME];
  if (!started) return startRadosgw();
  return { .../** @type {Radosgw} */ (JSON.parse(started)), close: async () => {} };
}
