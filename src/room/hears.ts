/**
 * Who hears whom in a room: the one rule for phones, agents and browsers. Pure: from what everybody is and
 * does to who may hear whom, and to the wires that must exist in the media thread.
 */

/** What somebody is in a room; `music` is what held callers hear. */
export const STANDING_ROLES = [
  'phone',
  'visitor',
  'agent',
  'human',
  'supervisor',
  'observer',
  'music',
] as const;
export type StandingRole = (typeof STANDING_ROLES)[number];

/** What somebody does at the moment. */
export const MANNERS = [
  /** Speaks to everybody who listens, and hears them. A supervisor who barges in. */
  'open',
  /** Speaks to human agents only, and hears everybody. */
  'whispering',
  /** Hears everybody, and is heard by nobody. */
  'listening',
  /** A caller on hold, or in the queue: hears music and nothing else, and is heard by nobody. */
  'held',
  /** Out: hears nobody, and is heard by nobody. An agent while a human talks. */
  'away',
] as const;
export type Manner = (typeof MANNERS)[number];

export interface Standing {
  readonly participantId: string;
  readonly role: StandingRole;
  readonly manner: Manner;
}

/** What a supervisor may do (docs/decisions/human-agents.md), as manners. */
export const SUPERVISION = { listen: 'listening', whisper: 'whispering', barge: 'open' } as const;
export type Supervision = keyof typeof SUPERVISION;

/** How somebody who comes in stands at first: nobody is overheard speaking who did not mean to. */
export function firstManner(role: StandingRole): Manner {
  return role === 'supervisor' || role === 'observer' ? 'listening' : 'open';
}

/** Everybody hears everybody else who speaks to them, and never itself. */
export function hears(listener: Standing, speaker: Standing): boolean {
  if (listener.participantId === speaker.participantId || listener.role === 'music') return false;
  if (listener.manner === 'away') return false;
  if (listener.manner === 'held' || speaker.role === 'music')
    return listener.manner === 'held' && speaker.role === 'music';
  switch (speaker.manner) {
    case 'open':
      return true;
    case 'whispering':
      return listener.role === 'human';
    case 'listening':
    case 'held':
    case 'away':
      return false;
  }
}

/**
 * Whether `viewer` is told that `other` is there. Callers are not told of whoever they cannot hear:
 * a supervisor shows himself by barging in.
 */
export function knowsOf(viewer: Standing, other: Standing): boolean {
  if (other.role === 'music') return false;
  if (viewer.role !== 'visitor' && viewer.role !== 'phone') return true;
  return (other.role !== 'supervisor' && other.role !== 'observer') || other.manner === 'open';
}

/** A participant as far as the media thread is concerned. */
export interface Party extends Standing {
  /** Where its sound comes from; a browser may have several producers, a silent listener has none. */
  readonly sourceIds: readonly string[];
  /** Where sound for it goes inside the media thread; null: it fetches its sound from the router itself. */
  readonly sinkId: string | null;
}

export interface Wire {
  readonly from: string;
  readonly to: string;
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
