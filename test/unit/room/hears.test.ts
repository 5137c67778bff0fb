import { describe, expect, it } from 'vitest';
import { hears, wiresOf, type Party } from '../../../src/room/hears.ts';

function local(participantId: string, speaksTo: Party['speaksTo'] = 'everyone'): Party {
  const portId = `port-${participantId}`;
  return { participantId, sourceIds: [portId], sinkId: portId, speaksTo };
}

function remote(participantId: string, ...sourceIds: string[]): Party {
  return { participantId, sourceIds, sinkId: null, speaksTo: 'everyone' };
}

describe('hears', () => {
  it('lets everybody hear everybody else, and nobody itself', () => {
    const [caller, agent] = [local('caller'), local('agent')];
    expect(hears(caller, agent)).toBe(true);
    expect(hears(agent, caller)).toBe(true);
    expect(hears(caller, caller)).toBe(false);
  });

  it('lets a whisper reach only whom it is meant for', () => {
    const [caller, agent, supervisor] = [local('caller'), local('agent'), local('supervisor', ['agent'])];
    expect(hears(agent, supervisor)).toBe(true);
    expect(hears(caller, supervisor)).toBe(false);
    expect(hears(supervisor, caller)).toBe(true);
  });

  it('lets a listener hear without being heard', () => {
    const [caller, listener] = [local('caller'), local('listener', [])];
    expect(hears(listener, caller)).toBe(true);
    expect(hears(caller, listener)).toBe(false);
  });
});

describe('wiresOf', () => {
  it('needs no wire for nobody and none for one', () => {
    expect(wiresOf([])).toEqual([]);
    expect(wiresOf([local('caller')])).toEqual([]);
  });

  it('joins caller and agent both ways', () => {
    expect(wiresOf([local('caller'), local('agent')])).toEqual([
      { from: 'port-agent', to: 'port-caller' },
      { from: 'port-caller', to: 'port-agent' },
    ]);
  });

  it('brings every source of a remote party to everybody in the thread, and nothing back to it', () => {
    expect(wiresOf([local('caller'), remote('visitor', 'track-1', 'track-2')])).toEqual([
      { from: 'track-1', to: 'port-caller' },
      { from: 'track-2', to: 'port-caller' },
    ]);
  });

  it('makes no wire between remote parties: they meet in the router', () => {
    expect(wiresOf([remote('visitor', 'track-1'), remote('human', 'track-2')])).toEqual([]);
  });

  it.each([2, 3, 5, 10])('gives %i equal parties n (n - 1) wires, none twice and none to itself', (count) => {
    const wires = wiresOf(Array.from({ length: count }, (_, index) => local(String(index))));
    expect(new Set(wires.map(({ from, to }) => `${from}>${to}`)).size).toBe(count * (count - 1));
    expect(wires.some(({ from, to }) => from === to)).toBe(false);
  });
});
