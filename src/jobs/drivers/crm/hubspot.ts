/**
 * HubSpot by its CRM v3 objects API (developers.hubspot.com/docs/api-reference/crm-contacts-v3). HubSpot has
 * no idempotency keys; what it has are properties with unique values, so each object carries one of ours:
 * contacts their number in E.164, calls the key of the job that writes them. Upserting by it twice is writing
 * once. The search is not enough: it lags behind writes by some seconds.
 */
import { z } from 'zod';
import { isRefused, ProviderFailure } from '../provider-failure.ts';
import { ProviderHttp } from '../provider-http.ts';
import type { CrmActivity, CrmContact, CrmDriver } from './crm-driver.ts';

export interface HubSpotOptions {
  readonly baseUrl: string;
  /** Of a private app, with crm.objects.contacts and crm.schemas.contacts (read and write). */
  readonly accessToken: string;
  readonly timeoutMs: number;
}

const CONTACT_KEY = 'trunkline_e164';
const CALL_KEY = 'trunkline_call_key';

const objectSchema = z.looseObject({
  id: z.string(),
  properties: z.record(z.string(), z.string().nullable()).optional(),
});
const upsertedSchema = z.looseObject({
  results: z.array(objectSchema).default([]),
  errors: z.array(z.looseObject({ message: z.string().default('') })).default([]),
});
const foundSchema = z.looseObject({ results: z.array(objectSchema) });
const propertySchema = z.looseObject({ groupName: z.string() });

type ObjectType = 'contacts' | 'calls';

export class HubSpot implements CrmDriver {
  readonly name = 'hubspot';
  /** Search, change and, if it was in vain, upsert; upsert and link. */
  readonly requests = { contact: 3, activity: 2 };
  readonly #http: ProviderHttp;
  readonly #baseUrl: string;
  readonly #headers: Readonly<Record<string, string>>;
  /** Our properties are made on first use. A failure is forgotten, so that the next job tries again. */
  #prepared: Promise<void> | undefined;

  constructor({ baseUrl, accessToken, timeoutMs }: HubSpotOptions) {
    this.#http = new ProviderHttp({ provider: this.name, timeoutMs });
    this.#baseUrl = baseUrl.replace(/\/$/, '');
    this.#headers = { authorization: `Bearer ${accessToken}` };
  }

  async upsertContact(contact: CrmContact, signal?: AbortSignal): Promise<string> {
    await this.#prepare();
    const properties = propertiesOf(contact);
    const known = contact.externalId ?? (await this.#findContact(contact.e164, signal));
    if (known !== undefined) {
      try {
        return await this.#change('contacts', known, properties, signal);
      } catch (error) {
        // Merged or deleted meanwhile, or another contact has the number: the upsert finds the right one.
        if (!isRefused(error, 404) && !isRefused(error, 409)) throw error;
      }
    }
    return this.#upsert('contacts', CONTACT_KEY, contact.e164, properties, signal);
  }

  async writeActivity(activity: CrmActivity, contactId: string, signal?: AbortSignal): Promise<string> {
    await this.#prepare();
    const properties = {
      [CALL_KEY]: activity.key,
      hs_timestamp: activity.startedAt.toISOString(),
      hs_call_title: activity.title,
      hs_call_body: activity.text,
      hs_call_duration: String(activity.durationMs),
      hs_call_from_number: activity.fromNumber,
      hs_call_to_number: activity.toNumber,
      hs_call_direction: 'INBOUND',
      hs_call_status: 'COMPLETED',
    };
    const callId = await this.#upsert('calls', CALL_KEY, activity.key, properties, signal);
    const link = `/crm/v4/objects/calls/${idOf(callId)}/associations/default/contacts/${idOf(contactId)}`;
    await this.#ask('PUT', link, undefined, signal);
    return callId;
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /** A contact that a person or another program made, with our key if it has one. */
  async #findContact(e164: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    const equal = (propertyName: string): unknown => ({
      filters: [{ propertyName, operator: 'EQ', value: e164 }],
    });
    const answer = await this.#ask(
      'POST',
      '/crm/v3/objects/contacts/search',
      {
        filterGroups: [equal(CONTACT_KEY), equal('phone'), equal('mobilephone')],
        properties: [CONTACT_KEY],
        limit: 10,
      },
      signal,
    );
    const { results } = foundSchema.parse(answer);
    const ours = results.find((one) => one.properties?.[CONTACT_KEY] === e164);
    const free = results.find((one) => (one.properties?.[CONTACT_KEY] ?? '') === '');
    return (ours ?? free)?.id;
  }

  async #change(
    type: ObjectType,
    id: string,
    properties: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const path = `/crm/v3/objects/${type}/${idOf(id)}`;
    return objectSchema.parse(await this.#ask('PATCH', path, { properties }, signal)).id;
  }

  async #upsert(
    type: ObjectType,
    idProperty: string,
    id: string,
    properties: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const path = `/crm/v3/objects/${type}/batch/upsert`;
    const answer = await this.#ask('POST', path, { inputs: [{ idProperty, id, properties }] }, signal);
    // 207: the request was understood, and what it asked for was refused all the same.
    const { results, errors } = upsertedSchema.parse(answer);
    const [written] = results;
    if (written === undefined)
      throw new ProviderFailure('refused', `${this.name}: ${errors[0]?.message ?? 'nothing was written'}`);
    return written.id;
  }

  #prepare(): Promise<void> {
    this.#prepared ??= Promise.all([
      this.#makeKey('contacts', CONTACT_KEY, 'Trunkline number (E.164)', 'phone'),
      this.#makeKey('calls', CALL_KEY, 'Trunkline call key', 'hs_call_body'),
    ]).then(
      () => undefined,
      (error: unknown) => {
        this.#prepared = undefined;
        throw error;
      },
    );
    return this.#prepared;
  }

  /** A property with unique values, in the group of one that is always there. */
  async #makeKey(type: ObjectType, name: string, label: string, beside: string): Promise<void> {
    try {
      await this.#ask('GET', `/crm/v3/properties/${type}/${name}`);
      return;
    } catch (error) {
      if (!isRefused(error, 404)) throw error;
    }
    const neighbour = await this.#ask('GET', `/crm/v3/properties/${type}/${beside}`);
    const { groupName } = propertySchema.parse(neighbour);
    const property = { name, label, groupName, type: 'string', fieldType: 'text', hasUniqueValue: true };
    try {
      await this.#ask('POST', `/crm/v3/properties/${type}`, property);
    } catch (error) {
      // Another worker was quicker.
      if (!isRefused(error, 409)) throw error;
    }
  }

  #ask(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH',
    path: string,
    json?: unknown,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const headers = this.#headers;
    return this.#http.askJson({ method, url: `${this.#baseUrl}${path}`, headers, json, signal });
  }
}

function propertiesOf(contact: CrmContact): Record<string, string> {
  const words = contact.name?.trim().split(/\s+/) ?? [];
  const [lastname, firstname] = [words.at(-1), words.slice(0, -1).join(' ')];
  const properties = {
    [CONTACT_KEY]: contact.e164,
    phone: contact.e164,
    email: contact.email,
    company: contact.company,
    // One word alone is how somebody is called.
    ...(words.length === 1 ? { firstname: lastname } : { firstname, lastname }),
  };
  const given = Object.entries(properties).filter(
    (entry): entry is [string, string] => (entry[1] ?? '') !== '',
  );
  return Object.fromEntries(given);
}

/** Ids go into a path: only what HubSpot gives out. */
function idOf(id: string): string {
  return encodeURIComponent(id);
}
