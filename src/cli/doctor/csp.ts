/**
 * What a Content Security Policy says of connections.
 *
 * @see https://www.w3.org/TR/CSP3/
 */

/** The policies of a page: a header may hold several, and the document more. */
export function policiesOf(header: string | undefined, html: string): string[] {
  const fromHeader = (header ?? '').split(',');
  const head = /<head[\s>].*?<\/head>/is.exec(html)?.[0] ?? html;
  const fromHtml = Array.from(head.matchAll(/<meta\s[^>]*>/gi), ([tag]) =>
    /http-equiv\s*=\s*["']?content-security-policy["'\s>]/i.test(tag)
      ? decode(attribute(tag, 'content'))
      : '',
  );
  return [...fromHeader, ...fromHtml].map((policy) => policy.trim()).filter(Boolean);
}

/** The sources that a policy lets a page connect to; undefined when it does not say. */
export function connectSources(policy: string): string[] | undefined {
  const directives = new Map<string, string[]>();
  for (const text of policy.split(';')) {
    const [name = '', ...sources] = text.trim().split(/\s+/);
    // The first counts.
    if (name && !directives.has(name.toLowerCase())) directives.set(name.toLowerCase(), sources);
  }
  return directives.get('connect-src') ?? directives.get('default-src');
}

/** Whether one of the sources lets a page of `origin` connect to `url`. */
export function allowsUrl(sources: readonly string[], url: URL, origin: string): boolean {
  return sources.some((source) => matches(source, url, new URL(origin)));
}

const SOURCE = /^(?:([a-z][a-z\d+.-]*):\/\/)?(\*|(?:\*\.)?[^/:*\s]+|\[[^\]]+\])(?::(\d+|\*))?(\/.*)?$/i;

function matches(source: string, url: URL, self: URL): boolean {
  const text = source.toLowerCase();
  if (text === '*') return /^(https?|wss?):$/.test(url.protocol) || url.protocol === self.protocol;
  if (text === "'self'")
    return url.origin === self.origin || (url.host === self.host && isUpgrade(self, url));
  const [, onlyScheme] = /^([a-z][a-z\d+.-]*):$/.exec(text) ?? [];
  if (onlyScheme)
    return `${onlyScheme}:` === url.protocol || (onlyScheme === 'http' && url.protocol === 'https:');
  const [, scheme = self.protocol.slice(0, -1), host = '', port, path] = SOURCE.exec(source) ?? [];
  if (!host || text.startsWith("'")) return false;
  const isScheme =
    `${scheme.toLowerCase()}:` === url.protocol ||
    (scheme.toLowerCase() === 'http' && url.protocol === 'https:');
  return (
    isScheme &&
    hostMatches(host.toLowerCase(), url.hostname) &&
    portMatches(port, url) &&
    pathMatches(path, url.pathname)
  );
}

const isUpgrade = (from: URL, to: URL): boolean => from.protocol === 'http:' && to.protocol === 'https:';

function hostMatches(pattern: string, hostname: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : hostname === pattern;
}

function portMatches(port: string | undefined, url: URL): boolean {
  const actual = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (port === undefined) return url.port === '';
  return port === '*' || port === actual || (port === '80' && actual === '443');
}

function pathMatches(path: string | undefined, pathname: string): boolean {
  if (path === undefined || path === '/') return true;
  return path.endsWith('/') ? pathname.startsWith(path) : pathname === path;
}

function attribute(tag: string, name: string): string {
  const [, double, single, bare] =
    new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag) ?? [];
  return double ?? single ?? bare ?? '';
}

const decode = (text: string): string =>
  text
    .replace(/&#39;|&#x27;|&apos;/gi, "'")
    .replace(/&quot;/gi, '"')
    .replace(/&amp;/gi, '&');
