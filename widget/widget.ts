/** What `/widget.js` brings: the element, defined once, and the client for pages with a face of their own. */
import { TrunklineCall } from './element/trunkline-call.ts';

export { TrunklineClient } from './client/trunkline-client.ts';
export { CALL_STATE, type CallState } from './client/call-state.ts';
export { TrunklineCall };

if (customElements.get('trunkline-call') === undefined)
  customElements.define('trunkline-call', TrunklineCall);
