/** What tools did, kept in a file: one record for one idempotency key, however often it is asked for. */
import { z } from 'zod';
import { newId } from '../../base/ids.ts';
import { RecordsFile } from './records-file.ts';
import type { ToolContext } from './tool.ts';

/** Where an act comes from; part of every record. */
export interface ActOrigin {
  /** Of two acts with one key the second is the first. */
  readonly key: string;
  readonly callId: string;
  readonly tenant: string;
  /** Name of the agent's profile. */
  readonly profile: string;
}

export function originOf({ key, callId, tenant, profile }: ToolContext): ActOrigin {
  return { key, callId, tenant: tenant ?? 'default', profile: profile.name };
}

export type ActRecord<Fields> = Fields & ActOrigin & { readonly id: string; readonly at: string };

export class ActRecords<Fields extends object> {
  readonly #file: RecordsFile<ActRecord<Fields>>;
  readonly #kind: string;
  readonly #now: () => Date;
  readonly #byKey: Map<string, ActRecord<Fields>>;

  private constructor(file: RecordsFile<ActRecord<Fields>>, kind: string, now: () => Date) {
    this.#file = file;
    this.#kind = kind;
    this.#now = now;
    this.#byKey = new Map(file.records.map((record) => [record.key, record]));
  }

  /** `kind` begins every id: `sms_…`. Throws when a line in the middle of the file is no record. */
  static async create<Shape extends z.ZodRawShape>(options: {
    path: string;
    kind: string;
    fields: z.ZodObject<Shape>;
    now?: () => Date;
  }): Promise<ActRecords<z.infer<z.ZodObject<Shape>>>> {
    const { path, kind, fields, now } = options;
    type Fields = z.infer<typeof fields>;
    const frame = { key: z.string(), callId: z.string(), tenant: z.string(), profile: z.string() };
    const schema = z.strictObject({ ...fields.shape, ...frame, id: z.string(), at: z.iso.datetime() });
    const file = await RecordsFile.create({
      path,
      schema: schema as unknown as z.ZodType<ActRecord<Fields>>,
    });
    return new ActRecords<Fields>(file, kind, now ?? (() => new Date()));
  }

  /** All records, oldest first. */
  get records(): readonly ActRecord<Fields>[] {
    return this.#file.records;
  }

  /** The record, on disk when this resolves; the one there is when the key was seen before. */
  keep(fields: Fields, { key, callId, tenant, profile }: ActOrigin): Promise<ActRecord<Fields>> {
    return this.#file.alone(async (add) => {
      const known = this.#byKey.get(key);
      if (known) return known;
      const frame = { key, callId, tenant, profile, id: newId(this.#kind), at: this.#now().toISOString() };
      const record = await add({ ...fields, ...frame });
      this.#byKey.set(key, record);
      return record;
    });
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
