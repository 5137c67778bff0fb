import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Census, LegSettings } from '../../../src/media/control.ts';
import type { MediaThreadHandle, MediaThreads } from '../../../src/media/threads.ts';
import { POLICY } from '../../support/media/anchor-stage.ts';
import { checkUnbroken, RtpParty } from '../../support/media/rtp-party.ts';
import { startThreads } from '../../support/media/start-threads.ts';
import { toneLevels } from '../../support/tones.ts';
import { until } from '../../support/until.ts';

const EMPTY = { legs: 0, links: 0, voices: 0, players: 0, patches: 0, sockets: 0, portsUsed: 0, ticked: 0 };

let threads: MediaThreads;
let thread: MediaThreadHandle;
let errors: { thread: string; where: string; detail: string }[];
const parties: RtpParty[] = [];

async function use(): Promise<void> {
  threads = await startThreads();
  thread = threads.leastLoaded();
  errors = [];
  threads.events.on('error', (error) => errors.push(error));
}

async function census(): Promise<Census> {
  return thread.request({ type: 'census' });
}

function settingsFor(party: RtpParty): LegSettings {
  return {
    remote: { address: '127.0.0.1', rtpPort: party.port, rtcpPort: party.port },
    codec: 'pcmu',
    payloadType: 0,
    telephoneEventPayloadType: 101,
    direction: 'sendrecv',
    held: false,
    sending: true,
  };
}

/** A leg with its far end, ready to speak. */
async function openLeg(legId: string): Promise<RtpParty> {
  const party = await RtpParty.open();
  parties.push(party);
  const { rtpPort } = await thread.request({ type: 'leg.open', legId, policy: POLICY });
  party.targetPort = rtpPort;
  await thread.request({ type: 'leg.settle', legId, settings: settingsFor(party) });
  return party;
}

beforeEach(() => use());

afterEach(async () => {
  await threads.close();
  await Promise.all(parties.splice(0).map((party) => party.close()));
});

describe('a call in a media thread', () => {
  it('is carried to a voice and back, byte for byte, in one unbroken line', async () => {
    const party = await openLeg('leg');
    await thread.request({ type: 'voice.open', voiceId: 'voice', codec: 'pcmu', spec: {} });
    await thread.request({ type: 'patch', from: 'leg', to: 'voice' });
    await thread.request({ type: 'patch', from: 'voice', to: 'leg' });
    for (let value = 1; value <= 20; value++) {
      await party.speak(value);
      await party.heard(party.received.length + 1);
    }
    await party.heard(40);
    checkUnbroken(party.received);
    const echoed = party.received
      .map((packet) => packet.payload[0] ?? 0)
      .filter((byte) => byte <= 20 && byte > 0);
    expect(new Set(echoed).size).toBeGreaterThanOrEqual(15);
    const stats = await thread.request({ type: 'leg.close', legId: 'leg' });
    expect(stats.fromCaller).toMatchObject({ packets: 20, lost: 0 });
    await thread.request({ type: 'voice.close', voiceId: 'voice' });
    expect(await census()).toMatchObject(EMPTY);
    expect(errors).toEqual([]);
  });

  it('tells its digits, its source and its silence to who asked about this leg', async () => {
    const told: unknown[] = [];
    for (const legId of ['one', 'two']) {
      thread.legEvents(legId).on('digit', (event) => told.push([legId, event]));
      thread.legEvents(legId).on('latched', ({ port }) => told.push([legId, port]));
    }
    const one = await openLeg('one');
    const two = await openLeg('two');
    await one.speak(1);
    await until('latched', () => told.length === 1);
    await two.press(5);
    await until('digit', () => told.length === 3);
    expect(told).toEqual([
      ['one', one.port],
      ['two', two.port],
      ['two', { digit: '5', durationMs: 120 }],
    ]);
    const silent = new Promise((resolve) => {
      thread.legEvents('one').once('silent', resolve);
    });
    expect(await silent).toMatchObject({ silentMs: expect.any(Number) as number });
  });

  it('hears a tone from a player, and two tones mixed', async () => {
    const party = await openLeg('leg');
    const open = (playerId: string, frequencyHz: number): Promise<null> => {
      const play = { kind: 'tone', frequencyHz, level: -12 } as const;
      return thread.request({ type: 'player.open', playerId, codec: 'pcmu', play });
    };
    await Promise.all([open('low', 400), open('high', 1000)]);
    await thread.request({ type: 'patch', from: 'low', to: 'leg' });
    await thread.request({ type: 'patch', from: 'high', to: 'leg' });
    const from = party.received.length + 5;
    await party.heard(from + 30);
    const payloads = party.received.slice(from).map((packet) => packet.payload);
    const [low = 0, high = 0, none = 0] = toneLevels(payloads, 'pcmu', [400, 1000, 700]);
    expect(low).toBeGreaterThan(-16);
    expect(high).toBeGreaterThan(-16);
    expect(none).toBeLessThan(-40);
    await thread.request({ type: 'player.close', playerId: 'low' });
    await thread.request({ type: 'unpatch', from: 'high', to: 'leg' });
    expect(await census()).toMatchObject({ players: 1, patches: 0, ticked: 2 });
  });

  it('hears a recording', async () => {
    const path = join(tmpdir(), `trunkline-${process.pid}.ulaw`);
    await writeFile(path, Buffer.alloc(800, 0x21));
    const party = await openLeg('leg');
    const play = { kind: 'file', path, loop: false } as const;
    await thread.request({ type: 'player.open', playerId: 'p', codec: 'pcmu', play });
    await thread.request({ type: 'patch', from: 'p', to: 'leg' });
    const isSound = (): number => party.received.filter((packet) => packet.payload[0] === 0x21).length;
    await until('heard', () => isSound() === 5);
    const missing = { kind: 'file', path: `${path}.not`, loop: false } as const;
    await expect(
      thread.request({ type: 'player.open', playerId: 'q', codec: 'pcmu', play: missing }),
    ).rejects.toMatchObject({ code: 'MEDIA_FILE_UNPLAYABLE' });
  });

  it('presses keys', async () => {
    const party = await openLeg('leg');
    await thread.request({ type: 'leg.dtmf', legId: 'leg', digits: '9', toneMs: 60, gapMs: 60 });
    await until('events', () => party.received.filter((packet) => packet.payloadType === 101).length === 5);
    const digits = '1'.repeat(64);
    const press = (): Promise<null> =>
      thread.request({ type: 'leg.dtmf', legId: 'leg', digits, toneMs: 2000, gapMs: 2000 });
    await expect(Promise.all([press(), press(), press()])).rejects.toMatchObject({
      code: 'MEDIA_COMMAND_INVALID',
    });
  });

  it('is joined with a router over a link', async () => {
    const [caller, router] = [await openLeg('leg'), await RtpParty.open()];
    parties.push(router);
    const { port } = await thread.request({ type: 'link.open', linkId: 'link' });
    router.targetPort = port;
    const track = { linkId: 'link', payloadType: 0, codec: 'pcmu' } as const;
    await thread.request({
      type: 'link.target',
      linkId: 'link',
      uplinkPort: router.port,
      downlinkPort: router.port,
    });
    await thread.request({ type: 'link.send', ...track, fromId: 'leg', ssrc: 7, flowing: false });
    await thread.request({ type: 'link.receive', ...track, sourceId: 'browser', ssrc: 8 });
    await thread.request({ type: 'patch', from: 'browser', to: 'leg' });
    await caller.speak(0x11);
    // Heard, and not given on: nobody in the router listens yet.
    while ((await thread.request({ type: 'leg.stats', legId: 'leg' })).fromCaller.packets === 0);
    await thread.request({ type: 'link.send', ...track, fromId: 'leg', ssrc: 7, flowing: true });
    await caller.speak(0x12);
    await router.heard(1);
    expect(router.received[0]).toMatchObject({ ssrc: 7 });
    expect(router.received[0]?.payload[0]).toBe(0x12);
    router.ssrc = 8;
    for (let i = 0; i < 5; i++) await router.speak(0x30 + i);
    await until('the caller hears', () => caller.received.some((packet) => packet.payload[0] === 0x34));
    expect(await census()).toMatchObject({ links: 1, patches: 2, sockets: 3 });
    await thread.request({ type: 'link.drop', linkId: 'link', ssrc: 8 });
    expect(await census()).toMatchObject({ patches: 1 });
    await thread.request({ type: 'link.close', linkId: 'link' });
    expect(await census()).toMatchObject({ links: 0, patches: 0, sockets: 2 });
  });
});
