// For an engine that no driver reaches without a session of its own: the page asks where `remote` of its address
// points for code to run, and tells what became of it.
const remote = new URLSearchParams(location.search).get('remote');
if (remote) {
  // The page's own, before anybody traces it.
  const { fetch } = globalThis;
  const wait = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
  const ask = async (outcome) => {
    for (;;) {
      let command;
      try {
        command = await (await fetch(remote, { method: 'POST', body: JSON.stringify(outcome) })).json();
      } catch {
        await wait(50);
        continue;
      }
      outcome = {};
      if (!command.code) continue;
      outcome.id = command.id;
      try {
        // biome-ignore lint/security/noGlobalEval: it is what this file is for.
        outcome.value = await globalThis.eval(command.code);
      } catch (error) {
        outcome.error = String(error);
      }
      // A page with a request under way may be kept out of the bfcache.
      if (command.leaves) return;
    }
  };
  void ask({});
  addEventListener('pageshow', ({ persisted }) => persisted && void ask({}));
}
