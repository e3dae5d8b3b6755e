import { Transform } from 'node:stream';

/** Short enough to look steady, long enough not to keep the machine busy. */
const TICK_MILLIS = 20;

/**
 * A stream that lets at most `bytesPerSecond` through. Stops its timer when it is destroyed.
 *
 * @param {number} bytesPerSecond Above 0.
 */
export function throttle(bytesPerSecond) {
  const sliceBytes = Math.max(1, Math.round((bytesPerSecond * TICK_MILLIS) / 1000));
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  return new Transform({
    transform(chunk, _encoding, done) {
      let offset = 0;
      const next = () => {
        if (offset >= chunk.length) return done();
        const slice = chunk.subarray(offset, offset + sliceBytes);
        offset += slice.length;
        this.push(slice);
        timer = setTimeout(next, (slice.length / bytesPerSecond) * 1000);
      };
      next();
    },
    destroy(error, done) {
      clearTimeout(timer);
      done(error);
    },
  });
}
