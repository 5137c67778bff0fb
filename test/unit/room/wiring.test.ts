import { describe, expect, it } from 'vitest';
import { createLog } from '../../../src/base/log.ts';
import type { Command } from '../../../src/media/control.ts';
import type { Wire } from '../../../src/room/hears.ts';
import { Wiring, type ThreadCommands } from '../../../src/room/wiring.ts';

const log = createLog({ level: 'silent' });
const wire = (name: string): Wire => ({ from: `${name}-from`, to: `${name}-to` });

/** The thread's side of the wire commands: what was commanded, and refusals on demand. */
class Recorder {
  readonly seen: string[] = [];
  readonly refused = new Set<string>();
  running = 0;
  mostAtOnce = 0;

  readonly request: ThreadCommands['request'] = async (asked) => {
    const command: Command = asked;
    if (command.type !== 'patch' && command.type !== 'unpatch') throw new Error(command.type);
    this.seen.push(`${command.type} ${command.from}`);
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    await Promise.resolve();
    this.running -= 1;
    if (this.refused.has(`${command.type} ${command.from}`)) throw new Error(`refused ${command.from}`);
    return null as never;
  };
}

function open(): { thread: Recorder; wiring: Wiring } {
  const thread = new Recorder();
  return { thread, wiring: new Wiring(thread, log) };
}

describe('Wiring', () => {
  it('commands only the difference, cuts first', async () => {
    const { thread, wiring } = open();
    await wiring.set([wire('a'), wire('b')]);
    await wiring.set([wire('b'), wire('c')]);
    expect(thread.seen).toEqual(['patch a-from', 'patch b-from', 'unpatch a-from', 'patch c-from']);
    expect(wiring.present).toEqual([wire('b'), wire('c')]);
  });

  it('commands nothing when nothing changed', async () => {
    const { thread, wiring } = open();
    await wiring.set([wire('a')]);
    await wiring.set([wire('a')]);
    expect(thread.seen).toEqual(['patch a-from']);
  });

  it('never has two commands on the way', async () => {
    const { thread, wiring } = open();
    await Promise.all([wiring.set([wire('a'), wire('b')]), wiring.set([wire('c')]), wiring.set([])]);
    expect(thread.mostAtOnce).toBeLessThanOrEqual(1);
    expect(wiring.present).toEqual([]);
  });

  it('skips what was overtaken by a later wish', async () => {
    const { thread, wiring } = open();
    await Promise.all([wiring.set([wire('a')]), wiring.set([wire('b')])]);
    expect(thread.seen).toEqual(['patch b-from']);
  });

  it('makes the other wires when one fails, says so, and tries it again next time', async () => {
    const { thread, wiring } = open();
    thread.refused.add('patch a-from');
    await expect(wiring.set([wire('a'), wire('b')])).rejects.toThrow('refused a-from');
    expect(wiring.present).toEqual([wire('b')]);
    thread.refused.clear();
    await wiring.set([wire('a'), wire('b')]);
    expect(wiring.present).toEqual([wire('b'), wire('a')]);
  });

  it('takes a refused cut for done: the port was gone', async () => {
    const { thread, wiring } = open();
    await wiring.set([wire('a')]);
    thread.refused.add('unpatch a-from');
    await wiring.set([]);
    expect(wiring.present).toEqual([]);
  });
});
