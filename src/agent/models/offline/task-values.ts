/** What a call has brought so far: the slots of the task under way, and what earlier tasks left behind. */
import type { Slot, Task } from '../../profile.ts';
import { saySlot } from './slots.ts';

/** `{name}` in a text of the profile. */
const PLACE = /\{([a-z0-9_]+)\}/g;

export type Fields = Readonly<Record<string, unknown>>;

export class TaskValues {
  #task: Task | null = null;
  #values = new Map<string, string>();
  /** Optional slots that the tool asked for. */
  readonly #wanted = new Set<string>();
  /** What earlier tasks brought, as it is said. */
  readonly #memory = new Map<string, string>();

  begin(task: Task | null, values: ReadonlyMap<string, string> = new Map()): void {
    this.#task = task;
    this.#values = new Map(values);
    this.#wanted.clear();
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /** Asks for a slot again, or for an optional one at last. */
  askFor(name: string): void {
    this.#values.delete(name);
    this.#wanted.add(name);
  }

  /** The slot to ask for next; null when the task has all it needs. */
  get missing(): Slot | null {
    const slots = this.#task?.slots ?? [];
    const open = slots.filter((slot) => !slot.optional || this.#wanted.has(slot.name));
    return open.find((slot) => !this.#values.has(slot.name)) ?? null;
  }

  /** What the task brought may be an argument of a later one. Secrets are not kept. */
  remember(fields: Fields): void {
    for (const [name, field] of Object.entries(fields))
      if (typeof field === 'string' || typeof field === 'number') this.#memory.set(name, String(field));
    for (const slot of this.#task?.slots ?? []) {
      const value = this.#values.get(slot.name);
      if (value !== undefined && slot.keys?.secret !== true)
        this.#memory.set(slot.name, saySlot(slot, value));
    }
  }

  /** The slots and the task's own arguments; null: something that those name is not known. */
  arguments(): Record<string, string> | null {
    const { slots = [], arguments: own = {} } = this.#task ?? {};
    const given: Record<string, string> = {};
    for (const { name } of slots) {
      const value = this.#values.get(name);
      if (value !== undefined) given[name] = value;
    }
    for (const [name, template] of Object.entries(own)) {
      for (const [, place = ''] of template.matchAll(PLACE))
        if (this.#valueOf(place, {}) === undefined) return null;
      given[name] = this.filled(template);
    }
    return given;
  }

  /** Replaces `{name}` by a slot's spoken value, a field of the tool's result, or what came before. */
  filled(template: string, fields: Fields = {}): string {
    return template.replace(PLACE, (_, name: string) => this.#valueOf(name, fields) ?? '');
  }

  #valueOf(name: string, fields: Fields): string | undefined {
    const slot = this.#task?.slots.find((one) => one.name === name);
    const value = this.#values.get(name);
    if (slot && value !== undefined) return saySlot(slot, value);
    const field = fields[name];
    if (typeof field === 'string' || typeof field === 'number') return String(field);
    return this.#memory.get(name);
  }
}
