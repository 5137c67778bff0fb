/** Where contacts and what happened with them are kept besides our own store. */

export interface CrmContact {
  /** E.164: by it a person is known. */
  readonly e164: string;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly company?: string | undefined;
  /** What this CRM called the contact when it was last written. */
  readonly externalId?: string | undefined;
}

export interface CrmActivity {
  /** The same key is the same activity, however often it is written. */
  readonly key: string;
  readonly title: string;
  readonly text: string;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly fromNumber: string;
  readonly toNumber: string;
}

/** Every write may be repeated: a contact is known by its number, an activity by its key. */
export interface CrmDriver {
  /** The name under which ids are remembered: `hubspot`. */
  readonly name: string;
  /** Requests that one of each takes at most, for the pace at which the CRM is asked. */
  readonly requests: { readonly contact: number; readonly activity: number };
  /** Makes or changes the contact; returns what the CRM calls it. @throws ProviderFailure */
  upsertContact(contact: CrmContact, signal?: AbortSignal): Promise<string>;
  /** Writes the activity beside the contact; returns what the CRM calls it. @throws ProviderFailure */
  writeActivity(activity: CrmActivity, contactId: string, signal?: AbortSignal): Promise<string>;
  close(): Promise<void>;
}
