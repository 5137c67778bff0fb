/** Which configured number a call is for. */
import type { NumberConfig } from './settings.ts';
import { numberKey, uriOf, userOf } from './sip-uri.ts';

export interface Dialed {
  readonly requestUri: string;
  /** The To header as it came. */
  readonly to: string;
}

export class Routes {
  readonly #byKey: ReadonlyMap<string, NumberConfig>;

  constructor(numbers: readonly NumberConfig[]) {
    // Of two spellings of one number the first counts, as everywhere in the configuration.
    this.#byKey = new Map([...numbers].reverse().map((one) => [numberKey(one.number), one]));
  }

  /**
   * The number of a call: the Request-URI's user, else the To header's, because some carriers address the
   * trunk in the one and write the dialed number into the other. Undefined: no such number.
   */
  find(dialed: Dialed): NumberConfig | undefined {
    for (const uri of [dialed.requestUri, uriOf(dialed.to)]) {
      const found = this.#byKey.get(numberKey(userOf(uri)));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
