import { TrunklineError } from '../base/errors.ts';
import type { Port, Sink, Source, Ticked } from './frame.ts';
import type { Pacer, Phase } from './pacer.ts';

/** Sinks on one source. */
export const SINKS_MAX = 64;

/** What a port can do; one that is both has both. */
export interface PortRoles {
  readonly source?: Source;
  readonly sink?: Sink;
  readonly ticked?: { readonly part: Ticked; readonly phase: Phase };
}

/**
 * Joins sources to sinks by the ids of their ports. A patch is one source to one sink;
 * patches end with either of their ports.
 */
export class Patchbay {
  readonly #pacer: Pacer;
  readonly #ports = new Map<string, PortRoles>();
  #patches = 0;

  constructor(pacer: Pacer) {
    this.#pacer = pacer;
  }

  get patches(): number {
    return this.#patches;
  }

  has(id: string): boolean {
    return this.#ports.has(id);
  }

  /**
   * Plugs a port in; from now on it is driven, if it wants to be.
   * Throws MEDIA_COMMAND_INVALID when the id is taken.
   */
  add(port: Pick<Port, 'id'>, roles: PortRoles): void {
    if (this.#ports.has(port.id)) {
      throw new TrunklineError('MEDIA_COMMAND_INVALID', `the id ${port.id} is open already`);
    }
    this.#ports.set(port.id, roles);
    if (roles.ticked !== undefined) this.#pacer.add(roles.ticked.part, roles.ticked.phase);
  }

  /** Unplugs a port with all its patches. Does not close it. Unknown ids are ignored. */
  remove(id: string): void {
    const plugged = this.#ports.get(id);
    if (plugged === undefined) return;
    this.#ports.delete(id);
    if (plugged.ticked !== undefined) this.#pacer.remove(plugged.ticked.part);
    if (plugged.source !== undefined) {
      for (const sink of plugged.source.sinks) this.#cut(plugged.source, sink);
    }
    if (plugged.sink !== undefined) {
      for (const { source } of this.#ports.values()) {
        if (source?.sinks.includes(plugged.sink) === true) this.#cut(source, plugged.sink);
      }
    }
  }

  /**
   * Throws MEDIA_NOT_OPEN for an unknown id, MEDIA_COMMAND_INVALID for a port that cannot do it. Idempotent.
   */
  patch(from: string, to: string): void {
    const source = this.source(from);
    const sink = this.#sink(to);
    if (source.sinks.includes(sink)) return;
    if (source.sinks.length >= SINKS_MAX) {
      throw new TrunklineError('MEDIA_COMMAND_INVALID', `${from} has ${SINKS_MAX} sinks already`);
    }
    source.sinks = [...source.sinks, sink];
    this.#patches++;
    sink.sourceAdded?.(source);
    const emits = this.#ports.get(from)?.ticked;
    const sends = this.#ports.get(to)?.ticked;
    // The source moves to its sink: what it emits leaves in the same slot, not up to 15 ms later.
    if (emits?.phase === 'source' && sends !== undefined) this.#pacer.align(emits.part, sends.part);
  }

  /** Idempotent; a port that is gone has no patches. */
  unpatch(from: string, to: string): void {
    const source = this.#ports.get(from)?.source;
    const sink = this.#ports.get(to)?.sink;
    if (source !== undefined && sink !== undefined && source.sinks.includes(sink)) this.#cut(source, sink);
  }

  source(id: string): Source {
    const plugged = this.#plugged(id);
    if (plugged.source === undefined) {
      throw new TrunklineError('MEDIA_COMMAND_INVALID', `${id} emits no sound`);
    }
    return plugged.source;
  }

  #sink(id: string): Sink {
    const plugged = this.#plugged(id);
    if (plugged.sink === undefined) throw new TrunklineError('MEDIA_COMMAND_INVALID', `${id} takes no sound`);
    return plugged.sink;
  }

  #plugged(id: string): PortRoles {
    const plugged = this.#ports.get(id);
    if (plugged === undefined) throw new TrunklineError('MEDIA_NOT_OPEN', id);
    return plugged;
  }

  #cut(source: Source, sink: Sink): void {
    source.sinks = source.sinks.filter((other) => other !== sink);
    this.#patches--;
    sink.sourceRemoved?.(source);
  }
}
