import { beforeEach, describe, expect, it } from 'vitest';
import { emit } from '../../../src/media/frame.ts';
import type { Source, Ticked } from '../../../src/media/frame.ts';
import { Pacer } from '../../../src/media/pacer.ts';
import { Patchbay, SINKS_MAX } from '../../../src/media/patchbay.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { Collector, frameOf, testSource } from '../../support/media/parts.ts';

let pacer: Pacer;
let bay: Patchbay;

beforeEach(() => {
  pacer = new Pacer({ clock: new ManualClock() });
  bay = new Patchbay(pacer);
});

function addSource(id: string): Source {
  const source = testSource({ id });
  bay.add(source, { source });
  return source;
}

function addSink(id: string): Collector {
  const sink = new Collector(id);
  bay.add(sink, { sink });
  return sink;
}

const refusal = (code: string): unknown => expect.objectContaining({ code });

describe('a patch', () => {
  it('carries every frame from its source to its sink, and says who speaks', () => {
    const source = addSource('a');
    const sink = addSink('b');
    bay.patch('a', 'b');
    emit(source, frameOf({ value: 3 }));
    expect(sink.frames[0]?.payload[0]).toBe(3);
    expect(sink.from).toEqual(['a']);
  });

  it('made twice is one', () => {
    addSource('a');
    const sink = addSink('b');
    bay.patch('a', 'b');
    bay.patch('a', 'b');
    expect([bay.patches, sink.added]).toEqual([1, 1]);
  });

  it('may join one source to many, and many to one', () => {
    const sources = ['a', 'b'].map(addSource);
    const sinks = ['x', 'y'].map(addSink);
    for (const from of ['a', 'b']) for (const to of ['x', 'y']) bay.patch(from, to);
    for (const source of sources) emit(source, frameOf());
    expect(sinks.map((sink) => sink.from)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(bay.patches).toBe(4);
  });

  it('may join a port to itself', () => {
    const both = Object.assign(new Collector('echo'), { paced: true, sinks: [] });
    bay.add(both, { source: both, sink: both });
    bay.patch('echo', 'echo');
    emit(both, frameOf());
    expect(both.from).toEqual(['echo']);
    bay.remove('echo');
    expect([bay.patches, both.removed]).toEqual([0, 1]);
  });

  it('that is cut carries nothing, and is cut once', () => {
    const source = addSource('a');
    const sink = addSink('b');
    bay.patch('a', 'b');
    bay.unpatch('a', 'b');
    bay.unpatch('a', 'b');
    emit(source, frameOf());
    expect([sink.frames.length, sink.removed, bay.patches]).toEqual([0, 1, 0]);
  });

  it('may be cut by its own sink while a frame is on its way', () => {
    const source = addSource('a');
    const cutter = addSink('b');
    const other = addSink('c');
    cutter.take = () => bay.unpatch('a', 'b');
    bay.patch('a', 'b');
    bay.patch('a', 'c');
    emit(source, frameOf());
    emit(source, frameOf());
    expect(other.frames).toHaveLength(2);
    expect(bay.patches).toBe(1);
  });
});

describe('refusals', () => {
  it('of ids that nobody has', () => {
    addSource('a');
    addSink('b');
    expect(() => bay.patch('a', 'nobody')).toThrow(refusal('MEDIA_NOT_OPEN'));
    expect(() => bay.patch('nobody', 'b')).toThrow(refusal('MEDIA_NOT_OPEN'));
    expect(() => bay.source('nobody')).toThrow(refusal('MEDIA_NOT_OPEN'));
    expect(() => bay.unpatch('nobody', 'b')).not.toThrow();
  });

  it('of ports that cannot', () => {
    addSource('a');
    addSink('b');
    expect(() => bay.patch('b', 'b')).toThrow(refusal('MEDIA_COMMAND_INVALID'));
    expect(() => bay.patch('a', 'a')).toThrow(refusal('MEDIA_COMMAND_INVALID'));
  });

  it('of an id that is taken', () => {
    addSource('a');
    expect(() => addSink('a')).toThrow(refusal('MEDIA_COMMAND_INVALID'));
    expect(bay.has('a')).toBe(true);
  });

  it('of more sinks than the limit', () => {
    addSource('a');
    for (let i = 0; i < SINKS_MAX; i++) {
      addSink(`s${i}`);
      bay.patch('a', `s${i}`);
    }
    addSink('one more');
    expect(() => bay.patch('a', 'one more')).toThrow(refusal('MEDIA_COMMAND_INVALID'));
    expect(bay.patches).toBe(SINKS_MAX);
  });
});

describe('a port that goes', () => {
  it('takes all its patches with it, either way', () => {
    const a = addSource('a');
    addSource('b');
    const x = addSink('x');
    const y = addSink('y');
    for (const from of ['a', 'b']) for (const to of ['x', 'y']) bay.patch(from, to);
    bay.remove('x');
    expect([bay.patches, x.removed, a.sinks.length]).toEqual([2, 2, 1]);
    bay.remove('a');
    expect([bay.patches, y.removed, a.sinks.length]).toEqual([1, 1, 0]);
    bay.remove('b');
    bay.remove('b');
    expect(bay.patches).toBe(0);
  });

  it('is driven no more', () => {
    const part: Ticked = { tick: () => undefined };
    bay.add({ id: 'p' }, { ticked: { part, phase: 'sink' } });
    expect(pacer.size).toBe(1);
    bay.remove('p');
    expect(pacer.size).toBe(0);
  });
});
