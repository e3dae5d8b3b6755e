/** Browser, system and kind of device, as far as a user agent shows them. */
export interface Agent {
  browser: string | undefined;
  os: string | undefined;
  device: string | undefined;
}

/** In this order: whoever builds on another engine names it too. */
const BROWSERS: [pattern: RegExp, name: string][] = [
  [/\bEdgA?\/|\bEdgiOS\//, 'Edge'],
  [/\bOPR\/|\bOPiOS\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bChrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const SYSTEMS: [pattern: RegExp, name: string][] = [
  [/\biP(hone|ad|od)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];
/** No browser's is longer. */
const MAX_LENGTH = 1_024;

const firstOf = (text: string, names: [RegExp, string][]): string | undefined =>
  names.find(([pattern]) => pattern.test(text))?.[1];

/** What `user_agent.original` says; nothing where it names no browser that is known. */
export function readAgent(userAgent: string | undefined): Agent {
  const text = userAgent?.slice(0, MAX_LENGTH) ?? '';
  const browser = firstOf(text, BROWSERS);
  if (browser === undefined) return { browser, os: undefined, device: undefined };
  return { browser, os: firstOf(text, SYSTEMS), device: deviceOf(text) };
}

function deviceOf(text: string): string {
  if (/\biPad\b|\bTablet\b/.test(text) || (/\bAndroid\b/.test(text) && !/\bMobile\b/.test(text)))
    return 'tablet';
  return /\bMobile\b|\biPhone\b/.test(text) ? 'mobile' : 'desktop';
}
