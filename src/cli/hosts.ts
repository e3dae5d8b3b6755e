import { BlockList, isIP } from 'node:net';

/** Names that mean this machine to a browser: it asks for no HTTPS there. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** IPv4 that means something in one network only, or is nobody's. @see https://www.iana.org/assignments/iana-ipv4-special-registry */
const INNER_V4 = ranges('ipv4', [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]);
/** Of IPv6 this is what anybody can reach. @see https://www.iana.org/assignments/iana-ipv6-special-registry */
const OUTER_V6 = ranges('ipv6', ['2000::/3']);
const INNER_V6 = ranges('ipv6', ['2001::/23', '2001:db8::/32', '3fff::/20']);
/** IPv6 that has an IPv4 address within: mapped, compatible, by NAT64, by 6to4. */
const WITH_V4 = [
  { range: ranges('ipv6', ['::ffff:0:0/96', '::/96', '64:ff9b::/96']), at: 6 },
  { range: ranges('ipv6', ['2002::/16']), at: 1 },
];

function ranges(family: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', bits] = subnet.split('/');
    list.addSubnet(net, Number(bits), family);
  }
  return list;
}

/** Whether an address is in a network of one's own: this machine, a private net, or none at all. */
export function isInnerAddress(address: string): boolean {
  const [plain = ''] = address.replace(/^\[(.*)\]$/, '$1').split('%', 1);
  if (isIP(plain) === 4) return INNER_V4.check(plain, 'ipv4');
  if (isIP(plain) !== 6) return true;
  const within = WITH_V4.find(({ range }) => range.check(plain, 'ipv6'));
  if (within) return INNER_V4.check(v4At(plain, within.at), 'ipv4');
  return !OUTER_V6.check(plain, 'ipv6') || INNER_V6.check(plain, 'ipv6');
}

/** The IPv4 address in the sixteen-bit groups from `at` on. */
function v4At(address: string, at: number): string {
  // `URL` writes no dots, and the shortest form.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const first = head ? head.split(':') : [];
  const last = tail ? tail.split(':') : [];
  const groups = [...first, ...Array(8 - first.length - last.length).fill('0'), ...last];
  const [high = 0, low = 0] = groups.slice(at, at + 2).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** What can be told of a host, as `URL` writes it, before it is looked up. The rest shows at connecting. */
export function isInnerHost(hostname: string): boolean {
  if (isIP(hostname.replace(/^\[(.*)\]$/, '$1'))) return isInnerAddress(hostname);
  return /(^|\.)(localhost|local|internal|lan|home\.arpa)\.?$/.test(hostname);
}
