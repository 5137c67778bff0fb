import { describe, expect, it } from 'vitest';
import { permissionsOf, type Permission, type Role } from '../../../src/room/permissions.ts';

const everything: Permission[] = ['publish', 'hear', 'whisper', 'end'];

describe('what a role may do', () => {
  it.each<[Role, Permission[]]>([
    ['visitor', ['publish', 'hear']],
    ['human', ['publish', 'hear', 'end']],
    ['supervisor', ['publish', 'hear', 'whisper', 'end']],
    ['observer', ['hear']],
  ])('%s: %j, whatever more is asked for', (role, most) => {
    expect(permissionsOf(role)).toEqual(most);
    expect(permissionsOf(role, everything)).toEqual(most);
  });

  it.each<[Role, Permission[], Permission[]]>([
    ['visitor', ['hear'], ['hear']],
    ['visitor', ['end'], []],
    ['supervisor', ['hear', 'whisper'], ['hear', 'whisper']],
    ['observer', ['publish'], []],
    ['human', [], []],
  ])('%s that asks for %j gets %j', (role, asked, given) => {
    expect(permissionsOf(role, asked)).toEqual(given);
  });
});
