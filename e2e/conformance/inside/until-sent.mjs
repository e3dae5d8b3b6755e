const PATIENCE_MILLIS = 5_000;

/** Resolves when nothing waits: `flush` does not wait out what was asked for as patience. @param {any} exporter */
export async function untilSent(exporter) {
  const deadline = Date.now() + PATIENCE_MILLIS;
  while (exporter.stats().spans.waiting && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
}
