/** The widget's skeleton: what is there in every state; the style sheet shows what the state needs. */
import styles from './trunkline-call.css?inline';

const icon = (path: string, more = ''): string =>
  `<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="${path}"/>${more}</svg>`;

const handset =
  'M6.6 10.8a15.1 15.1 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.57 1 1 0 0 1 1 1V20' +
  'a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.57a1 1 0 0 1-.25 1z';
const microphone =
  'M12 14a3 3 0 0 0 3-3V5a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zm5-3a5 5 0 0 1-10 0H5' +
  'a7 7 0 0 0 6 6.92V21h2v-3.08A7 7 0 0 0 19 11z';

export const TEMPLATE = `
<style>${styles}</style>
<section class="card" part="card" aria-labelledby="title">
  <header>
    <h2 id="title" part="title"></h2>
    <span class="clock" id="clock" part="clock" aria-hidden="true"></span>
  </header>
  <div class="stage">
    <div class="orb" aria-hidden="true"><i></i><i></i><b>${icon(handset)}</b></div>
    <p class="state" id="state" role="status" part="state"></p>
    <p class="hint" id="hint" part="hint"></p>
  </div>
  <div class="alert" id="alert" role="alert" hidden></div>
  <div class="captions" id="captions" tabindex="0" role="region" aria-label="Captions" hidden>
    <ol id="log" role="log" aria-live="polite" aria-relevant="additions" aria-label="What was said"></ol>
    <ol id="drafts" aria-hidden="true"></ol>
  </div>
  <div class="controls">
    <button class="call" id="call" part="call-button" type="button">
      ${icon(handset)}<span id="call-words">Call now</span>
    </button>
    <button class="sound" id="unblock" type="button" hidden>Turn the sound on</button>
    <div class="in-call">
      <button class="mute" id="mute" part="mute-button" type="button" aria-pressed="false">
        ${icon(microphone, '<path class="slash" d="m4.4 2.6 17 17-1.4 1.4-17-17z"/>')}<span>Mute</span>
      </button>
      <button class="hang-up" id="hang-up" part="hang-up-button" type="button">
        ${icon(handset)}<span>Hang up</span>
      </button>
      <meter id="level" part="level" min="0" max="1" value="0" aria-label="Your microphone’s level"></meter>
    </div>
    <label class="devices" id="devices" hidden>
      <span>Microphone</span>
      <select id="microphone"></select>
    </label>
  </div>
</section>`;
