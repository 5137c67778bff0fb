/** What a `TrunklineClient` tells the page. */
import type { EventPayload, WireParticipant } from '../../src/web/wire.ts';
import type { CallEnding } from './call-ending.ts';
import type { CallState } from './call-state.ts';
import type { MicrophoneChoice } from './microphone.ts';

export interface ClientEvents {
  state: { readonly state: CallState; readonly ending?: CallEnding };
  caption: EventPayload<'caption'>;
  tool: EventPayload<'tool'>;
  speaking: EventPayload<'speaking'>;
  /** Who is in the room besides oneself. */
  participants: readonly WireParticipant[];
  muted: boolean;
  /** The microphones there are, with the one in use; told during calls only. */
  microphones: { readonly choices: readonly MicrophoneChoice[]; readonly chosenId: string | undefined };
  /** The browser plays nothing until `unblockPlayback` is called from a click. */
  playbackBlocked: null;
  /** Something failed that the call outlives; for the page's own log. */
  trouble: Error;
}
