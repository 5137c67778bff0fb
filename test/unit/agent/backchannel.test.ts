import { describe, expect, it } from 'vitest';
import { Backchannel } from '../../../src/agent/backchannel.ts';
import { ToolsUnderWay } from '../../../src/agent/tools-under-way.ts';

const speaking = { speaking: true, silentMs: 0 };
const pausing = { speaking: true, silentMs: 100 };
const silent = { speaking: false, silentMs: 700 };
const mhm = (): Backchannel => new Backchannel({ words: ['mhm', 'Uh-Huh'], longestMs: 600 });

describe('Backchannel', () => {
  it.each([
    ['mhm', true],
    ['Mhm. Mhm!', true],
    ['uh-huh', true],
    ['', true],
    [' … ', true],
    ['mhm no', false],
    ['no', false],
    ['5', false],
    ['ach so', false],
  ])('takes %j for one: %s', (text, expected) => expect(mhm().isBackchannel(text)).toBe(expected));

  it.each([
    ['', true],
    ['m', true],
    ['Mhm', true],
    ['mhm uh', true],
    ['mhm, no', false],
    ['st', false],
    ['no', false],
    ['uh-huhs', false],
    ['uh mhm', false],
  ])('may become one, so far %j: %s', (text, expected) => expect(mhm().mayBecomeOne(text)).toBe(expected));

  it('is possible while speech is short, and when there are such words at all', () => {
    expect(mhm().possible(600)).toBe(true);
    expect(mhm().possible(620)).toBe(false);
    expect(new Backchannel({ words: [], longestMs: 600 }).possible(100)).toBe(false);
  });

  it('holds nothing before it is told to', () => {
    const one = mhm();
    expect(one.held).toBeNull();
    for (let tick = 0; tick < 100; tick += 1) expect(one.tick(speaking)).toBe(false);
    expect(one.release()).toEqual([]);
  });

  it('decides when speech goes on for too long; the silence within does not count', () => {
    const one = mhm();
    one.hold(['a', 'b'], 240);
    for (let tick = 0; tick < 18; tick += 1) {
      expect(one.tick(speaking)).toBe(false);
      expect(one.tick(pausing)).toBe(false);
    }
    expect(one.tick(speaking)).toBe(true);
    expect(one.release()).toEqual(['a', 'b']);
    expect(one.held).toBeNull();
    expect(one.tick(speaking)).toBe(false);
  });

  it('waits 800 ms for the words', () => {
    const one = mhm();
    one.hold(['a'], 240);
    for (let tick = 1; tick < 40; tick += 1) expect(one.tick(silent)).toBe(false);
    expect(one.tick(silent)).toBe(true);
  });

  it('begins anew with every hold', () => {
    const one = mhm();
    one.hold(['a'], 240);
    for (let tick = 1; tick < 40; tick += 1) one.tick(silent);
    one.release();
    one.hold(['b'], 240);
    expect(one.tick(silent)).toBe(false);
    expect(one.held).toEqual(['b']);
  });
});

describe('ToolsUnderWay', () => {
  it('knows which tools have not answered, and takes each answer once', () => {
    const tools = new ToolsUnderWay();
    expect(tools.begin('a', 'book')).toBe(true);
    expect(tools.size).toBe(1);
    expect(tools.end('b')).toBe('nobody');
    expect(tools.end('a')).toBe('session');
    expect(tools.end('a')).toBe('nobody');
    expect(tools.size).toBe(0);
  });

  it('remembers that the session which asked is gone', () => {
    const tools = new ToolsUnderWay();
    tools.begin('a', 'book');
    tools.orphan();
    tools.begin('b', 'book');
    expect(tools.size).toBe(2);
    expect(tools.end('a')).toBe('lost session');
    expect(tools.end('b')).toBe('session');
  });

  it('knows when one of them waits for the caller', () => {
    const tools = new ToolsUnderWay();
    tools.begin('a', 'book');
    expect(tools.waitForCaller).toBe(false);
    tools.begin('b', 'collect_digits');
    tools.orphan();
    expect(tools.waitForCaller).toBe(true);
    tools.end('b');
    expect(tools.waitForCaller).toBe(false);
  });

  it('takes 16 at a time', () => {
    const tools = new ToolsUnderWay();
    for (let index = 0; index < 16; index += 1) expect(tools.begin(`t${index}`, 'book')).toBe(true);
    expect(tools.begin('one more', 'book')).toBe(false);
    tools.end('t3');
    expect(tools.begin('one more', 'book')).toBe(true);
  });
});
