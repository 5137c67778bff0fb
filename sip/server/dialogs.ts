import { Dialog, type DialogOptions } from './dialog.ts';
import { tagOf } from './header.ts';
import { LIMITS } from './limits.ts';
import type { SipMessage, SipRequest } from './message.ts';

/** All dialogs: by the name that applications use, and by Call-ID with our tag, which the network uses. */
export class Dialogs {
  readonly #byId = new Map<string, Dialog>();
  readonly #byLocalTag = new Map<string, Dialog>();

  get count(): number {
    return this.#byId.size;
  }

  get full(): boolean {
    return this.#byId.size >= LIMITS.dialogsMax;
  }

  create(options: Omit<DialogOptions, 'id'> & { fromTag: string }): Dialog {
    const { fromTag, ...rest } = options;
    const usual = dialogId(options.callId, fromTag);
    // A call of ours that a carrier sends back to us has the same Call-ID and From tag at both ends.
    const id = this.#byId.has(usual) ? `${usual};to-tag=${options.localTag}` : usual;
    const dialog = new Dialog({ ...rest, id });
    this.#byId.set(id, dialog);
    this.#byLocalTag.set(localKey(options.callId, options.localTag), dialog);
    return dialog;
  }

  byId(id: string): Dialog | undefined {
    return this.#byId.get(id);
  }

  /** The dialog with our tag in that Call-ID. */
  byLocalTag(callId: string, localTag: string): Dialog | undefined {
    return this.#byLocalTag.get(localKey(callId, localTag));
  }

  /** The dialog a request from the network belongs to. */
  of(request: SipRequest): Dialog | undefined {
    const tag = tagOf(request.get('To'));
    const dialog = tag === undefined ? undefined : this.byLocalTag(request.callId, tag);
    return dialog?.takes(request) === true ? dialog : undefined;
  }

  remove(dialog: Dialog): void {
    dialog.close();
    if (this.#byId.get(dialog.id) === dialog) this.#byId.delete(dialog.id);
    const key = localKey(dialog.callId, dialog.localTag);
    if (this.#byLocalTag.get(key) === dialog) this.#byLocalTag.delete(key);
  }

  close(): void {
    for (const dialog of [...this.#byId.values()]) this.remove(dialog);
  }
}

/** drachtio's name of a dialog. */
export function dialogId(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/** The name a dialog made by this request has, or would have. */
export function dialogIdOf(message: SipMessage): string {
  return dialogId(message.callId, tagOf(message.get('From')) ?? '');
}

function localKey(callId: string, localTag: string): string {
  return `${callId} ${localTag}`;
}
