/**
 * HubSpot's objects API as far as a CRM driver uses it, with its rules: a property with unique values holds
 * each value once; an upsert needs such a property; the search does not see what was written a moment ago;
 * errors have HubSpot's shape (`status`, `message`, `category`).
 */
import { z } from 'zod';
import { startHttpStandIn, type Answer, type Asked, type HttpStandIn } from './http-stand-in.ts';

interface HubSpotObject {
  readonly id: string;
  readonly properties: Record<string, string>;
}

type ObjectType = 'contacts' | 'calls';

export interface HubSpotStandIn extends HttpStandIn {
  readonly contacts: readonly HubSpotObject[];
  readonly calls: readonly HubSpotObject[];
  /** `call id -> contact id`, each once. */
  readonly associations: ReadonlySet<string>;
  /** Made by hand, as a person would in HubSpot, and found by the search. */
  addContact(properties: Record<string, string>): string;
  removeContact(id: string): void;
}

const inputs = z.object({
  inputs: z
    .array(z.object({ id: z.string(), idProperty: z.string(), properties: z.record(z.string(), z.string()) }))
    .min(1)
    .max(100),
});
const question = z.object({
  filterGroups: z.array(
    z.object({
      filters: z.array(z.object({ propertyName: z.string(), operator: z.literal('EQ'), value: z.string() })),
    }),
  ),
});
const change = z.object({ properties: z.record(z.string(), z.string()) });
const newProperty = z.object({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/),
  label: z.string(),
  groupName: z.enum(['contactinformation', 'call_information']),
  type: z.literal('string'),
  fieldType: z.literal('text'),
  hasUniqueValue: z.boolean(),
});

class Hub {
  readonly objects: Record<ObjectType, HubSpotObject[]> = { contacts: [], calls: [] };
  readonly searchable = new Set<string>();
  readonly associations = new Set<string>();
  readonly #properties: Record<ObjectType, Map<string, { groupName: string; hasUniqueValue: boolean }>> = {
    contacts: new Map(
      ['phone', 'mobilephone', 'email', 'company', 'firstname', 'lastname'].map((name) => [
        name,
        { groupName: 'contactinformation', hasUniqueValue: name === 'email' },
      ]),
    ),
    calls: new Map(
      ['timestamp', ...['title', 'body', 'duration', 'from_number', 'to_number', 'direction', 'status']]
        .map((name) => (name === 'timestamp' ? `hs_${name}` : `hs_call_${name}`))
        .map((name) => [name, { groupName: 'call_information', hasUniqueValue: false }]),
    ),
  };
  #ids = 100;

  make(type: ObjectType, properties: Record<string, string>): HubSpotObject {
    this.#ids += 1;
    const made = { id: String(this.#ids), properties };
    this.objects[type].push(made);
    return made;
  }

  answer({ method, path, body }: Asked): Answer {
    const [, api, version, ...rest] = path.split('/').map(decodeURIComponent);
    if (api !== 'crm') return problem(404, 'no such path');
    const json: unknown = body === '' ? undefined : JSON.parse(body);
    if (version === 'v4') return this.#associate(method, rest);
    const [kind, type, id, verb] = rest;
    if (type !== 'contacts' && type !== 'calls') return problem(404, `Unable to infer object type ${type}`);
    if (kind === 'properties') return this.#property(method, type, id, json);
    if (method === 'POST' && id === 'search') return this.#search(type, json);
    if (method === 'POST' && id === 'batch' && verb === 'upsert') return this.#upsert(type, json);
    if (method === 'PATCH' && id !== undefined) return this.#change(type, id, json);
    return problem(405, `${method} ${path}`);
  }

  #property(method: string, type: ObjectType, name: string | undefined, json: unknown): Answer {
    const known = this.#properties[type];
    if (method === 'GET') {
      const found = known.get(name ?? '');
      return found === undefined
        ? problem(404, `Property ${name} does not exist`)
        : { status: 200, body: found };
    }
    const made = newProperty.parse(json);
    if (known.has(made.name)) return problem(409, 'A property named that already exists');
    known.set(made.name, made);
    return { status: 201, body: made };
  }

  #search(type: ObjectType, json: unknown): Answer {
    const { filterGroups } = question.parse(json);
    const results = this.objects[type].filter(
      (one) =>
        this.searchable.has(one.id) &&
        filterGroups.some(({ filters }) =>
          filters.every(({ propertyName, value }) => one.properties[propertyName] === value),
        ),
    );
    return { status: 200, body: { total: results.length, results } };
  }

  #upsert(type: ObjectType, json: unknown): Answer {
    const results: (HubSpotObject & { new: boolean })[] = [];
    for (const { id, idProperty, properties } of inputs.parse(json).inputs) {
      if (this.#properties[type].get(idProperty)?.hasUniqueValue !== true)
        return problem(400, `Property ${idProperty} does not have unique values`);
      const unknown = this.#unknown(type, properties);
      if (unknown !== undefined) return unknown;
      const found = this.objects[type].find((one) => one.properties[idProperty] === id);
      if (found !== undefined) Object.assign(found.properties, properties);
      const made = found ?? this.make(type, { ...properties, [idProperty]: id });
      results.push({ ...made, new: found === undefined });
    }
    return { status: 200, body: { status: 'COMPLETE', results } };
  }

  #change(type: ObjectType, id: string, json: unknown): Answer {
    const { properties } = change.parse(json);
    const found = this.objects[type].find((one) => one.id === id);
    if (found === undefined) return problem(404, 'resource not found');
    const unknown = this.#unknown(type, properties);
    if (unknown !== undefined) return unknown;
    const taken = Object.entries(properties).some(
      ([name, value]) =>
        this.#properties[type].get(name)?.hasUniqueValue === true &&
        this.objects[type].some((one) => one.id !== id && one.properties[name] === value),
    );
    if (taken) return problem(409, 'a property with unique values has this value elsewhere', 'CONFLICT');
    Object.assign(found.properties, properties);
    return { status: 200, body: found };
  }

  #unknown(type: ObjectType, properties: Record<string, string>): Answer | undefined {
    const name = Object.keys(properties).find((one) => !this.#properties[type].has(one));
    return name === undefined ? undefined : problem(400, `Property "${name}" does not exist`);
  }

  #associate(method: string, [, from, callId, , , to, contactId]: string[]): Answer {
    const isThere = (type: ObjectType, id: string | undefined): boolean =>
      this.objects[type].some((one) => one.id === id);
    if (method !== 'PUT' || from !== 'calls' || to !== 'contacts') return problem(405, method);
    if (!isThere('calls', callId) || !isThere('contacts', contactId)) return problem(404, 'no such object');
    this.associations.add(`${callId} -> ${contactId}`);
    return { status: 200, body: { status: 'COMPLETE', results: [] } };
  }
}

function problem(status: number, message: string, category = 'VALIDATION_ERROR'): Answer {
  return { status, body: { status: 'error', message, category, correlationId: '00000000-stand-in' } };
}

export async function startHubSpot(accessToken: string): Promise<HubSpotStandIn> {
  const hub = new Hub();
  const server = await startHttpStandIn((asked) => {
    if (asked.headers['authorization'] !== `Bearer ${accessToken}`)
      return problem(401, 'Authentication credentials not found', 'INVALID_AUTHENTICATION');
    return hub.answer(asked);
  });
  return {
    ...server,
    get contacts() {
      return hub.objects.contacts;
    },
    calls: hub.objects.calls,
    associations: hub.associations,
    addContact: (properties) => {
      const { id } = hub.make('contacts', properties);
      hub.searchable.add(id);
      return id;
    },
    removeContact: (id) => {
      hub.objects.contacts = hub.objects.contacts.filter((one) => one.id !== id);
    },
  };
}
