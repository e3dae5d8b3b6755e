/** The SDK's stats(), live, and the switches that make them move. */
import { html, useEffect, useState } from '/vendor/preact.js';
import { lastCuts, setCut } from './control.mjs';
import {
  describeAge,
  describeCompression,
  describeCuts,
  describeStorage,
  isAccident,
  readLedger,
} from './ledger.mjs';
import { sdk } from './tracing.mjs';

const CONSENT_NOTES = {
  pending: 'Nobody has agreed yet: spans are held in this page, and go with it.',
  denied: 'You said no: nothing is collected, and what was kept is deleted.',
};

/** What it is doing before, and unless, the visitor has agreed. */
const STATES = { pending: 'holding', denied: 'off' };

/** The whole panel. `consent` as the visitor gave it. */
export function StatsPanel({ consent }) {
  const stats = useStats();
  return html`<aside class="panel" id="telemetry" data-spandrel-live aria-labelledby="telemetry-title">
    <header>
      <h2 id="telemetry-title">What the SDK is doing</h2>
      ${stats && html`<span class=${consent === 'granted' ? 'badge ok' : 'badge'}>${STATES[consent] ?? stats.state}</span>`}
    </header>
    ${stats ? html`<${Ledger} stats=${stats} kept=${consent === 'granted'} />` : html`<p class="quiet">The SDK's script did not load.</p>`}
    ${stats && CONSENT_NOTES[consent] && html`<p class="consent-note">${CONSENT_NOTES[consent]}</p>`}
    <div class="panel-actions">
      <a class="see" href="/viewer/">See the traces</a>
      <a class="see" href="/viewer/#sessions">See the sessions</a>
      <button onClick=${() => sdk()?.flush()} disabled=${!stats}>Send now</button>
    </div>
    <${Switches} stats=${stats} />
    ${stats && html`<${Figures} stats=${stats} /><${Losses} dropped=${stats.spans.dropped} /><${Errors} errors=${stats.errors} />`}
  </aside>`;
}

/** One line at the foot of a phone, where the panel is out of sight. */
export function StatsStrip() {
  const stats = useStats();
  const [isPanelSeen, setPanelSeen] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setPanelSeen(entries.at(-1).isIntersecting));
    observer.observe(document.getElementById('telemetry'));
    return () => observer.disconnect();
  }, []);
  // Over the panel it would hide what it points to.
  if (stats === undefined || isPanelSeen) return null;
  const { sources, places } = readLedger(stats);
  return html`<nav class="strip" data-spandrel-live aria-label="Telemetry"><a href="#telemetry">
    ${sources.map(({ name, label, count }) => html`<span key=${name}><b>${count}</b> ${label}</span>`)}
    ${places.map(({ name, label, count }) => html`<span key=${name}><i class=${name}></i>${count} ${label}</span>`)}
  </a></nav>`;
}

function useStats() {
  const [stats, setStats] = useState(() => sdk()?.stats());
  useEffect(() => sdk()?.subscribe(setStats), []);
  return stats;
}

// What is said of the browser's storage holds once something may be kept there.
function Ledger({ stats, kept }) {
  const { sources, places, balanced } = readLedger(stats);
  const sumOf = (terms) => terms.map(({ label, count }) => `${count} ${label}`).join(' + ');
  return html`<div class="ledger">
    <div class="ledger-bar" role="img" aria-label=${`Spans: ${sumOf(sources)} = ${sumOf(places)}`}>
      ${places.map(({ name, percent }) => html`<div key=${name} class=${name} style=${{ width: `${percent}%` }}></div>`)}
    </div>
    <p class="equation">
      ${sources.map(
        ({ name, label, count }, index) =>
          html`<span key=${name}>${index > 0 && '+ '}<b>${count}</b> ${label}</span>`,
      )}
      ${places.map(
        ({ name, label, count }, index) =>
          html`<span key=${name}>${index === 0 ? '=' : '+'} <i class=${name}></i><b>${count}</b> ${label}</span>`,
      )}
    </p>
    ${kept && describeStorage(stats).map((sentence) => html`<p class="quiet" key=${sentence}>${sentence}</p>`)}
    ${!balanced && html`<p class="badge error">The ledger does not balance.</p>`}
  </div>`;
}

function Switches({ stats }) {
  const [cuts, show] = useState(lastCuts);
  const [problem, setProblem] = useState('');
  const flip = async (part) => {
    const cut = !cuts[part];
    try {
      show(await setCut(part, cut));
      setProblem('');
    } catch (error) {
      setProblem(`The switch is stuck: ${error.message}.`);
    }
  };
  return html`<div class="switches">
    <${Switch} on=${cuts.bucket} onFlip=${() => flip('bucket')}>Cut off the bucket<//>
    <${Switch} on=${cuts.endpoint} onFlip=${() => flip('endpoint')}>Cut off the endpoint<//>
    <p class="quiet" role="status">${problem || (stats && describeCuts(cuts, stats))}</p>
  </div>`;
}

function Switch({ on, onFlip, children }) {
  return html`<button class="switch" role="switch" aria-checked=${String(on)} onClick=${onFlip}>
    <span class="knob" aria-hidden="true"></span>${children}
  </button>`;
}

function Figures({ stats }) {
  const { buffer, blobs, requests, bytes } = stats;
  const figures = [
    ['Spans under way', buffer.open, 'started, not ended yet'],
    ['In the buffer', buffer.spans, `ended, in no blob yet; at most ${buffer.highWater} so far`],
    ['Blobs waiting', blobs.waiting, `${blobs.sealed} made here, ${blobs.stored} stored`],
    ['Uploads in flight', blobs.inFlight, `${requests.uploads} tried, ${requests.uploadFailures} failed`],
    ['Sent, not confirmed', blobs.unconfirmed, 'the endpoint is asked whether they arrived'],
    ['Left with the browser', requests.deferred, 'to be sent should this page die; else taken back'],
    [
      'Calls to the endpoint',
      requests.exchanges,
      `${requests.exchangeFailures} failed, ${requests.relays} relayed`,
    ],
  ];
  return html`<dl class="figures">
    ${figures.map(
      ([label, value, note]) =>
        html`<div key=${label}>
          <dt>${label}<span class="quiet">${note}</span></dt>
          <dd>${value}</dd>
        </div>`,
    )}
    <div class="wide">
      <dt>Compression<span class="quiet">${describeCompression(bytes)}</span></dt>
    </div>
    ${
      stats.exceptions > 0 &&
      html`<div><dt>Own exceptions<span class="quiet">caught before the page saw them</span></dt><dd>${stats.exceptions}</dd></div>`
    }
  </dl>`;
}

function Losses({ dropped }) {
  const reasons = Object.entries(dropped).filter(([reason]) => isAccident(reason));
  if (reasons.length === 0) return null;
  return html`<h3>Lost, by reason</h3>
    <ul class="reasons">
      ${reasons.map(([reason, count]) => html`<li key=${reason}><code>${reason}</code> ${count}</li>`)}
    </ul>`;
}

function Errors({ errors: all }) {
  const errors = all.filter(({ kind }) => isAccident(kind));
  if (errors.length === 0) return null;
  return html`<h3>Latest trouble</h3>
    <ul class="reasons">
      ${[...errors].reverse().map(
        ({ kind, message, atMillis, count }) =>
          html`<li key=${`${kind} ${message}`}>
            <b>${kind}</b> ${message}
            <span class="quiet"> ${describeAge(atMillis, Date.now())}${count > 1 && `, ${count} times`}</span>
          </li>`,
      )}
    </ul>`;
}
