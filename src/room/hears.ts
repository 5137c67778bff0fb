/** Who hears whom in a room. Pure: from who is there to the wires that must exist. */

/** A participant as far as sound goes. */
export interface Party {
  readonly participantId: string;
  /** Where its sound comes from; a browser may have several producers, a silent listener has none. */
  readonly sourceIds: readonly string[];
  /** Where sound for it goes inside the media thread; null: it fetches its sound from the router itself. */
  readonly sinkId: string | null;
  /** Whom its sound may reach: a supervisor who whispers names one participant, one who listens in nobody. */
  readonly speaksTo: 'everyone' | readonly string[];
}

export interface Wire {
  readonly from: string;
  readonly to: string;
}

/** Everybody hears everybody else who speaks to them, and never itself. */
export function hears(listener: Party, speaker: Party): boolean {
  if (listener.participantId === speaker.participantId) return false;
  return speaker.speaksTo === 'everyone' || speaker.speaksTo.includes(listener.participantId);
}

/** Every wire that a media thread needs so that its participants hear what they should. */
export function wiresOf(parties: readonly Party[]): Wire[] {
  const wires: Wire[] = [];
  for (const listener of parties) {
    if (listener.sinkId === null) continue;
    for (const speaker of parties) {
      if (!hears(listener, speaker)) continue;
      for (const from of speaker.sourceIds) wires.push({ from, to: listener.sinkId });
    }
  }
  return wires;
}
