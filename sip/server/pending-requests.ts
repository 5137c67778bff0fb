import { randomUUID } from 'node:crypto';

import type { Application } from './application.ts';
import type { Dialog } from './dialog.ts';
import { newToken } from './message.ts';
import type { ServerTransaction } from './server-transaction.ts';

/** A request of the network that waits for the application's final response. */
export interface PendingRequest {
  /** The application's name for the transaction. */
  readonly id: string;
  readonly transaction: ServerTransaction;
  readonly application: Application;
  /** The dialog the request came in, or the one its responses have made. */
  dialog: Dialog | undefined;
  /** True when the request came within a dialog. */
  readonly inDialog: boolean;
  /** Our To tag; fixed once a response carried it. */
  toTag: string;
  /** Runs out when the application stays silent. */
  limit: NodeJS.Timeout | undefined;
}

export class PendingRequests {
  readonly #byId = new Map<string, PendingRequest>();
  readonly #byTransaction = new Map<ServerTransaction, PendingRequest>();

  add(transaction: ServerTransaction, application: Application, dialog?: Dialog): PendingRequest {
    const pending: PendingRequest = {
      id: randomUUID(),
      transaction,
      application,
      dialog,
      inDialog: dialog !== undefined,
      toTag: dialog?.localTag ?? newToken(),
      limit: undefined,
    };
    this.#byId.set(pending.id, pending);
    this.#byTransaction.set(transaction, pending);
    return pending;
  }

  get count(): number {
    return this.#byId.size;
  }

  get(id: string): PendingRequest | undefined {
    return this.#byId.get(id);
  }

  of(transaction: ServerTransaction): PendingRequest | undefined {
    return this.#byTransaction.get(transaction);
  }

  ofApplication(application: Application): PendingRequest[] {
    return [...this.#byId.values()].filter((pending) => pending.application === application);
  }

  remove(pending: PendingRequest): void {
    clearTimeout(pending.limit);
    this.#byId.delete(pending.id);
    this.#byTransaction.delete(pending.transaction);
  }

  close(): void {
    for (const pending of [...this.#byId.values()]) this.remove(pending);
  }
}
