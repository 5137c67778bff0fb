import { describe, expect, it } from 'vitest';
import {
  firstManner,
  hears,
  knowsOf,
  MANNERS,
  STANDING_ROLES,
  SUPERVISION,
  wiresOf,
  type Manner,
  type Party,
  type Standing,
  type StandingRole,
} from '../../../src/room/hears.ts';

/** `phone:held`; the manner may be left out. Its place in a list makes it somebody of its own. */
function standing(written: string, place = 0): Standing {
  const [role = '', manner = 'open'] = written.split(':');
  return { participantId: `${place}-${role}`, role: role as StandingRole, manner: manner as Manner };
}

function local(written: string, place = 0): Party {
  const one = standing(written, place);
  const portId = `port-${one.participantId}`;
  return { ...one, sourceIds: [portId], sinkId: one.role === 'music' ? null : portId };
}

function remote(written: string, place: number, ...sourceIds: string[]): Party {
  return { ...standing(written, place), sourceIds, sinkId: null };
}

/** Rows hear columns: `x` where they do. */
function matrix(everybody: readonly string[]): string[] {
  const all = everybody.map(standing);
  return all.map((listener) => all.map((speaker) => (hears(listener, speaker) ? 'x' : '.')).join(''));
}

describe('hears', () => {
  it.each<[string, string[], string[]]>([
    ['a call: everybody hears everybody else', ['phone', 'agent', 'visitor'], ['.xx', 'x.x', 'xx.']],
    [
      'the queue: music for the caller, silence for the agent that went out',
      ['phone:held', 'agent:away', 'music'],
      ['..x', '...', '...'],
    ],
    ['music is for the held alone', ['phone', 'visitor:held', 'music'], ['...', '..x', '...']],
    ['a human has taken over', ['phone', 'agent:away', 'human'], ['..x', '...', 'x..']],
    [
      'a supervisor listens: hears all, heard by nobody',
      ['phone', 'human', 'supervisor:listening'],
      ['.x.', 'x..', 'xx.'],
    ],
    [
      'a supervisor whispers: the human hears it, the caller does not',
      ['phone', 'human', 'agent:away', 'supervisor:whispering'],
      ['.x..', 'x..x', '....', 'xx..'],
    ],
    ['a supervisor barges in', ['phone', 'human', 'supervisor'], ['.xx', 'x.x', 'xx.']],
    [
      'two supervisors: no whisper reaches the other one',
      ['human', 'supervisor:whispering', 'supervisor:listening'],
      ['.x.', 'x..', 'x..'],
    ],
    [
      'a human holds the caller: the staff may talk meanwhile',
      ['phone:held', 'human', 'supervisor', 'music'],
      ['...x', '..x.', '.x..', '....'],
    ],
    ['an observer', ['visitor', 'agent', 'observer:listening'], ['.x.', 'x..', 'xx.']],
    ['two held callers do not hear each other', ['phone:held', 'visitor:held'], ['..', '..']],
  ])('%s', (_name, everybody, expected) => {
    expect(matrix(everybody)).toEqual(expected);
  });

  const everyone = STANDING_ROLES.flatMap((role) => MANNERS.map((manner) => `${role}:${manner}`));
  const pairs = everyone.flatMap((listener) =>
    everyone.map((speaker) => [standing(listener, 1), standing(speaker, 2)] as const),
  );

  it('holds its promises for every pair of roles and manners', () => {
    expect(pairs).toHaveLength((7 * 5) ** 2);
    for (const [listener, speaker] of pairs) {
      const heard = hears(listener, speaker);
      const about = `${listener.role}:${listener.manner} hears ${speaker.role}:${speaker.manner}`;
      // A caller hears nobody who only listens, whispers, or is out.
      if (['phone', 'visitor', 'agent', 'observer', 'supervisor'].includes(listener.role))
        if (['listening', 'whispering', 'away', 'held'].includes(speaker.manner))
          expect(heard && speaker.role !== 'music', about).toBe(false);
      if (listener.manner === 'away' || listener.role === 'music') expect(heard, about).toBe(false);
      if (listener.manner === 'held') expect(heard, about).toBe(speaker.role === 'music' && heard);
      if (speaker.manner === 'whispering' && speaker.role !== 'music' && heard)
        expect(listener.role, about).toBe('human');
      if (speaker.role === 'music' && heard) expect(listener.manner, about).toBe('held');
    }
  });

  it('lets nobody hear itself, whatever it is and does', () => {
    for (const one of everyone) expect(hears(standing(one), standing(one))).toBe(false);
  });
});

describe('how somebody comes in', () => {
  it.each(STANDING_ROLES)('%s', (role) => {
    const quiet = role === 'supervisor' || role === 'observer';
    expect(firstManner(role)).toBe(quiet ? 'listening' : 'open');
  });

  it('a supervisor listens, whispers, or barges in', () => {
    expect(SUPERVISION).toEqual({ listen: 'listening', whisper: 'whispering', barge: 'open' });
  });
});

describe('knowsOf', () => {
  it.each([
    ['visitor', 'supervisor:listening', false],
    ['visitor', 'supervisor:whispering', false],
    ['visitor', 'supervisor:open', true],
    ['visitor', 'observer:listening', false],
    ['visitor', 'human', true],
    ['visitor', 'agent:away', true],
    ['visitor:held', 'supervisor:listening', false],
    ['human', 'supervisor:listening', true],
    ['human', 'observer:listening', true],
    ['supervisor:listening', 'visitor:held', true],
    ['human', 'music', false],
  ])('%s of %s: %s', (viewer, other, expected) => {
    expect(knowsOf(standing(viewer, 1), standing(other, 2))).toBe(expected);
  });
});

describe('wiresOf', () => {
  it('needs no wire for nobody and none for one', () => {
    expect(wiresOf([])).toEqual([]);
    expect(wiresOf([local('phone')])).toEqual([]);
  });

  it('joins caller and agent both ways', () => {
    expect(wiresOf([local('phone'), local('agent')])).toEqual([
      { from: 'port-0-agent', to: 'port-0-phone' },
      { from: 'port-0-phone', to: 'port-0-agent' },
    ]);
  });

  it('brings music to a held caller, and takes everything else from it', () => {
    const everybody = [local('phone:held'), local('agent:away'), local('music'), remote('human', 3, 'track')];
    expect(wiresOf(everybody)).toEqual([{ from: 'port-0-music', to: 'port-0-phone' }]);
  });

  it('brings every source of a remote party to everybody in the thread, and nothing back to it', () => {
    expect(wiresOf([local('phone'), remote('visitor', 1, 'track-1', 'track-2')])).toEqual([
      { from: 'track-1', to: 'port-0-phone' },
      { from: 'track-2', to: 'port-0-phone' },
    ]);
  });

  it('brings no whisper into the thread: human agents fetch it from the router', () => {
    const whisper = remote('supervisor:whispering', 1, 'track-1');
    expect(wiresOf([local('phone'), local('agent'), whisper]).map(({ from }) => from)).not.toContain(
      'track-1',
    );
  });

  it('makes no wire between remote parties: they meet in the router', () => {
    expect(wiresOf([remote('visitor', 0, 'track-1'), remote('human', 1, 'track-2')])).toEqual([]);
  });

  it.each([2, 3, 5, 10])('gives %i equal parties n (n - 1) wires, none twice and none to itself', (count) => {
    const wires = wiresOf(Array.from({ length: count }, (_, place) => local('phone', place)));
    expect(new Set(wires.map(({ from, to }) => `${from}>${to}`)).size).toBe(count * (count - 1));
    expect(wires.some(({ from, to }) => from === to)).toBe(false);
  });
});
