import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInnerAddress, isInnerHost } from './hosts.js';

const INNER = [
  ...['0.0.0.0', '0.1.2.3', '10.1.2.3', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254'],
  ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.0.0.8', '198.18.0.1'],
  ...['224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'fc00::1', 'fd12:3456::1', 'ff02::1', '100::1'],
  // IPv4 within: mapped in two spellings, compatible, NAT64, 6to4.
  ...['::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:a00:1', '::127.0.0.1', '64:ff9b::10.0.0.1'],
  ...['64:ff9b:1::1', '2002:7f00:1::', '2002:c0a8:101::1', '2001::1', '2001:db8::1', 'nonsense', ''],
];
const OUTER = [
  ...['1.1.1.1', '93.184.215.14', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1', '192.169.0.1'],
  ...['2606:4700::1111', '2a00:1450:4001::1', '::ffff:1.1.1.1', '64:ff9b::1.1.1.1', '2002:101:101::1'],
];

test("hosts: addresses of networks of one's own, in every family and spelling", () => {
  for (const address of INNER) assert.equal(isInnerAddress(address), true, address);
  for (const address of OUTER) assert.equal(isInnerAddress(address), false, address);
});

test('hosts: what can be told of a host before it is looked up', () => {
  const hostOf = (text: string): string => new URL(`http://${text}/`).hostname;
  for (const text of [
    '[::]',
    '2130706433',
    '0x7f000001',
    '017700000001',
    '127.1',
    'localhost',
    'a.localhost.',
  ]) {
    assert.equal(isInnerHost(hostOf(text)), true, text);
  }
  for (const text of ['printer.local', 'x.internal', 'nas.lan', 'router.home.arpa']) {
    assert.equal(isInnerHost(hostOf(text)), true, text);
  }
  for (const text of ['store.example', '1.1.1.1', '[2606:4700::1111]', 'local', 'mylocal.example']) {
    assert.equal(isInnerHost(hostOf(text)), text === 'local', text);
  }
});
