/** Host names as `URL` writes them. */

export function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Addresses and names that mean something in one network only. */
export function isPrivate(hostname: string): boolean {
  const isAddress = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|0\.|\[f[cde]|\[::ffff:)/.test(
    hostname,
  );
  return isAddress || /\.(local|internal|lan)$/.test(hostname);
}
