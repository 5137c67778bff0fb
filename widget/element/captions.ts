/** The conversation in writing. Screen readers read finished utterances; unfinished ones are only shown. */
import type { EventPayload } from '../../src/web/wire.ts';
import { toolWords } from './words.ts';

type Caption = EventPayload<'caption'>;

/** Something that was said to the end, or a tool that is done. */
export type Line = Caption | EventPayload<'tool'>;

/** Older lines go when there are more. */
export const lines_max = 200;

const SPEAKER = { agent: 'Agent', visitor: 'You' } as const;

export class Captions {
  readonly #log: HTMLElement;
  readonly #drafts: HTMLElement;
  readonly #draftOf = new Map<Caption['who'], HTMLElement>();
  readonly #tools = new Map<string, HTMLElement>();
  #lines: Line[] = [];

  /** `log` has role log; `drafts` stands below it and is hidden from screen readers. */
  constructor(log: HTMLElement, drafts: HTMLElement) {
    this.#log = log;
    this.#drafts = drafts;
  }

  /** Everything that stands in the log, oldest first. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** In place of what is there now. */
  restore(lines: readonly Line[]): void {
    this.clear();
    for (const one of lines) {
      if ('who' in one) this.show(one);
      else this.showTool(one);
    }
  }

  clear(): void {
    this.#lines = [];
    this.#log.replaceChildren();
    this.#drafts.replaceChildren();
    this.#draftOf.clear();
    this.#tools.clear();
  }

  show(caption: Caption): void {
    const { who, text, final } = caption;
    if (final) {
      this.#keep(caption);
      this.#draftOf.get(who)?.remove();
      this.#draftOf.delete(who);
      if (text !== '') this.#add(line(who, text));
      return;
    }
    let draft = this.#draftOf.get(who);
    if (draft === undefined) {
      draft = line(who, '');
      draft.dataset['draft'] = '';
      this.#draftOf.set(who, draft);
      this.#drafts.append(draft);
    }
    setWords(draft, text);
    this.#scroll();
  }

  /** What the agent does besides talking: one line, ticked when it is done. */
  showTool(tool: EventPayload<'tool'>): void {
    const { name, state } = tool;
    if (state !== 'started') this.#keep(tool);
    const words = toolWords(name);
    const known = this.#tools.get(name);
    const item = known ?? document.createElement('li');
    item.className = 'tool';
    item.dataset['state'] = state;
    item.textContent = { started: `${words}…`, done: `${words}: done`, failed: `${words}: did not work` }[
      state
    ];
    if (known === undefined) this.#add(item);
    if (state === 'started') this.#tools.set(name, item);
    else this.#tools.delete(name);
  }

  #keep(one: Line): void {
    this.#lines.push(one);
    if (this.#lines.length > lines_max) this.#lines.shift();
  }

  #add(item: HTMLElement): void {
    this.#log.append(item);
    while (this.#log.childElementCount > lines_max) this.#log.firstElementChild?.remove();
    this.#scroll();
  }

  #scroll(): void {
    const box = this.#log.parentElement;
    if (box !== null) box.scrollTop = box.scrollHeight;
  }
}

function line(who: Caption['who'], text: string): HTMLElement {
  const item = document.createElement('li');
  item.className = who;
  const speaker = document.createElement('span');
  speaker.className = 'speaker';
  speaker.textContent = SPEAKER[who];
  const words = document.createElement('span');
  words.className = 'words';
  item.append(speaker, ' ', words);
  setWords(item, text);
  return item;
}

function setWords(item: HTMLElement, text: string): void {
  const words = item.querySelector('.words');
  if (words !== null) words.textContent = text;
}
