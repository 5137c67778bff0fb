/**
 * `<trunkline-call>`: a call to an agent, in one element.
 *
 * Attributes: `widget-key` and `profile`, or `token`; `server` (origin of the gateway; the script's own when
 * absent); `heading`. Styled from outside by the variables at the top of trunkline-call.css, and by parts.
 * Tells `trunkline-state` (detail: state, ending) and `trunkline-caption` as events of the element.
 */
import { isOpen, type CallState } from '../client/call-state.ts';
import type { ClientEvents } from '../client/client-events.ts';
import type { Credentials } from '../client/open-call.ts';
import { TrunklineClient } from '../client/trunkline-client.ts';
import { Captions } from './captions.ts';
import { saveCall, takeCall } from './saved-call.ts';
import { TEMPLATE } from './template.ts';
import { durationWords, explanationOf, goodbyeOf, HINTS, MUTED, NOT_STARTED, STATE_WORDS } from './words.ts';

const default_heading = 'Talk to us';

export class TrunklineCall extends HTMLElement {
  static readonly observedAttributes = ['heading'];
  readonly #root = this.attachShadow({ mode: 'open' });
  readonly #captions: Captions;
  #client: TrunklineClient | undefined;
  #talkingSinceMs: number | undefined;
  #frame = 0;

  constructor() {
    super();
    this.#root.innerHTML = TEMPLATE;
    this.#captions = new Captions(this.#part('log'), this.#part('drafts'));
    this.#part('call').addEventListener('click', () => void this.#client?.call());
    this.#part('hang-up').addEventListener('click', () => this.#client?.hangUp());
    this.#part('mute').addEventListener('click', () => this.#client?.mute(!this.#client.muted));
    this.#part('unblock').addEventListener('click', () => void this.#unblock());
    const select = this.#part('microphone') as HTMLSelectElement;
    select.addEventListener('change', () => void this.#client?.chooseMicrophone(select.value));
  }

  /** For pages that want more than buttons; there while the element is in a document. */
  get client(): TrunklineClient | undefined {
    return this.#client;
  }

  connectedCallback(): void {
    const client = new TrunklineClient({
      server: this.#server,
      credentials: () => this.#credentials(),
    });
    this.#client = client;
    client.events.on('state', (change) => this.#showState(change));
    client.events.on('caption', (caption) => {
      this.#captions.show(caption);
      this.dispatchEvent(new CustomEvent('trunkline-caption', { detail: caption }));
    });
    client.events.on('tool', (tool) => this.#captions.showTool(tool));
    client.events.on('muted', (muted) => this.#showMuted(muted));
    client.events.on('microphones', (microphones) => this.#showMicrophones(microphones));
    client.events.on('playbackBlocked', () => (this.#part('unblock').hidden = false));
    addEventListener('pagehide', this.#pageGoes);
    addEventListener('pageshow', this.#pageComesBack);
    this.#showHeading();
    this.#showState({ state: client.state });
    this.#goOn();
  }

  disconnectedCallback(): void {
    removeEventListener('pagehide', this.#pageGoes);
    removeEventListener('pageshow', this.#pageComesBack);
    this.#client?.hangUp();
    this.#client = undefined;
  }

  attributeChangedCallback(): void {
    this.#showHeading();
  }

  get #server(): string {
    return this.getAttribute('server') ?? new URL(import.meta.url).origin;
  }

  /** Closed or loaded anew: nobody tells which. */
  readonly #pageGoes = (): void => {
    const talkedMs = performance.now() - (this.#talkingSinceMs ?? performance.now());
    const { lines } = this.#captions;
    const resumeToken = this.#client?.suspend();
    if (resumeToken !== undefined) saveCall(this.#server, { resumeToken, talkedMs, lines: [...lines] });
  };

  /** Browsers keep pages that were left, and show them again without loading them. */
  readonly #pageComesBack = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) this.#goOn();
  };

  /** A call that was on in this tab when its page was left goes on. */
  #goOn(): void {
    const saved = takeCall(this.#server);
    if (saved === undefined) return;
    this.#captions.restore(saved.lines);
    this.#talkingSinceMs = performance.now() - saved.talkedMs;
    void this.#client?.resume(saved.resumeToken);
  }

  #part(id: string): HTMLElement {
    const element = this.#root.getElementById(id);
    if (element === null) throw new Error(`the template has no #${id}`);
    return element;
  }

  #credentials(): Credentials {
    const token = this.getAttribute('token');
    if (token !== null) return { token };
    return { widgetKey: this.getAttribute('widget-key') ?? '', profile: this.getAttribute('profile') ?? '' };
  }

  #showHeading(): void {
    this.#part('title').textContent = this.getAttribute('heading') ?? default_heading;
  }

  #showState({ state, ending }: ClientEvents['state']): void {
    const before = this.getAttribute('state') as CallState | null;
    this.setAttribute('state', state);
    const explanation = ending === undefined ? undefined : explanationOf(ending.slug, ending.text);
    const goodbye = ending === undefined ? '' : goodbyeOf(ending.slug, ending.text);
    const talked = this.#talkingSinceMs !== undefined;
    this.#part('state').textContent = explanation === undefined || talked ? STATE_WORDS[state] : NOT_STARTED;
    this.#part('hint').textContent = explanation === undefined ? goodbye || this.#hint(state) : '';
    this.#explain(explanation);
    this.#part('call-words').textContent = state === 'ended' ? 'Call again' : 'Call now';
    if (state === 'asking-microphone') this.#begin();
    if (isOpen(state) && this.#frame === 0) this.#open();
    if (state === 'talking') this.#talkingSinceMs ??= performance.now();
    if (!isOpen(state)) this.#finish();
    if (before !== null) this.#moveFocus(before, state);
    this.dispatchEvent(new CustomEvent('trunkline-state', { detail: { state, ending } }));
  }

  #hint(state: CallState): string {
    return state === 'talking' && this.#client?.muted === true ? MUTED : HINTS[state];
  }

  #explain(explanation: ReturnType<typeof explanationOf>): void {
    const alert = this.#part('alert');
    alert.hidden = explanation === undefined;
    const heading = document.createElement('strong');
    heading.textContent = explanation?.heading ?? '';
    const text = document.createElement('p');
    text.textContent = explanation?.text ?? '';
    alert.replaceChildren(...(explanation === undefined ? [] : [heading, text]));
  }

  /** A new conversation. */
  #begin(): void {
    this.#captions.clear();
    this.#part('clock').textContent = '';
    this.#talkingSinceMs = undefined;
  }

  #open(): void {
    this.#part('captions').hidden = false;
    this.#animate();
  }

  #finish(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.style.removeProperty('--level');
    this.#part('unblock').hidden = true;
    this.#part('devices').hidden = true;
    this.#part('captions').hidden = this.#part('log').childElementCount === 0;
  }

  /** Focus follows the button that takes the place of the one pressed; elsewhere it is left alone. */
  #moveFocus(before: CallState, state: CallState): void {
    const focused = this.#root.activeElement;
    if (!isOpen(before) && isOpen(state) && focused?.id === 'call') this.#part('hang-up').focus();
    if (isOpen(before) && !isOpen(state) && focused !== null && focused.id !== 'captions')
      this.#part('call').focus();
  }

  #animate(): void {
    this.#frame = requestAnimationFrame(() => this.#animate());
    const { microphone, others } = this.#client?.levels() ?? { microphone: 0, others: 0 };
    this.style.setProperty('--level', Math.max(microphone, others).toFixed(2));
    (this.#part('level') as HTMLMeterElement).value = microphone;
    if (this.#talkingSinceMs !== undefined)
      this.#part('clock').textContent = durationWords(performance.now() - this.#talkingSinceMs);
  }

  #showMuted(muted: boolean): void {
    const button = this.#part('mute');
    button.setAttribute('aria-pressed', String(muted));
    this.toggleAttribute('muted', muted);
    const state = this.#client?.state ?? 'idle';
    if (isOpen(state)) this.#part('hint').textContent = this.#hint(state);
  }

  #showMicrophones({ choices, chosenId }: ClientEvents['microphones']): void {
    const options = choices.map(({ deviceId, label }, index) => {
      const option = new Option(label || `Microphone ${index + 1}`, deviceId);
      option.selected = deviceId === chosenId;
      return option;
    });
    this.#part('microphone').replaceChildren(...options);
    this.#part('devices').hidden = options.length === 0 || !isOpen(this.#client?.state ?? 'idle');
  }

  async #unblock(): Promise<void> {
    await this.#client?.unblockPlayback();
    this.#part('unblock').hidden = true;
  }
}
