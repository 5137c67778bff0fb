/** Three tones for three kinds of participants, and the question who hears which. */
import type { Codec } from '../../src/media/frame.ts';
import type { SfuRouter } from '../../src/media/sfu-router.ts';
import type { Room } from '../../src/room/room.ts';
import { OpusParty } from './opus-party.ts';
import type { Agent, Caller } from './room-stage.ts';
import { PlainParty, type DirectParty, type Heard } from './router-party.ts';
import { tone } from './sound/level.ts';
import { clearTones, toneLevels } from './tones.ts';
import { until } from './until.ts';

export const caller_hz = 440;
export const agent_hz = 700;
export const visitor_hz = 1000;
const frequencies = [caller_hz, agent_hz, visitor_hz] as const;
/** 600 ms: three windows of the tone detector. */
const enough_packets = 30;

/** Which of the three tones are in the sound. */
export function tonesIn(payloads: readonly Uint8Array[], codec: Codec = 'pcmu'): number[] {
  return clearTones(toneLevels(payloads, codec, frequencies), frequencies);
}

/** The tones in what a party hears from now on, one stream (SSRC) after the other. */
export async function listen(
  party: Caller | PlainParty | DirectParty | OpusParty,
  codec: Codec = 'pcmu',
): Promise<number[]> {
  const before = party.heard.length;
  const streams = (): Map<number, Heard[]> => Map.groupBy(party.heard.slice(before), (one) => one.ssrc);
  const enough = (stream: Heard[]): boolean => stream.length >= enough_packets;
  await until('enough is heard', () => party.heard.length > before && [...streams().values()].every(enough));
  const tones = [...streams().values()].flatMap((stream) =>
    tonesIn(
      stream.map((one) => one.payload),
      codec,
    ),
  );
  return tones.sort((a, b) => a - b);
}

/** The tones in what an agent heard since it was asked last, source by source. */
export async function listenAsAgent(agent: Agent): Promise<number[]> {
  const heard = Object.values(await agent.heard());
  return heard.flatMap((bytes) => tonesIn([bytes])).sort((a, b) => a - b);
}

export async function visitorJoins(router: SfuRouter, codec: Codec = 'pcmu'): Promise<PlainParty> {
  const visitor = await PlainParty.join(router, codec);
  await visitor.produce('visitor');
  void visitor.endpoint.play(tone(visitor_hz, 60_000));
  return visitor;
}

/** A browser in a room of browsers. */
export async function opusVisitorJoins(router: SfuRouter): Promise<OpusParty> {
  const visitor = await OpusParty.join(router);
  await visitor.produce('visitor');
  visitor.play(visitor_hz);
  return visitor;
}

export async function consumeAllOthers(
  router: SfuRouter,
  party: PlainParty | DirectParty | OpusParty,
): Promise<void> {
  const others = router.producers.filter((one) => one.tag['participantId'] !== 'visitor');
  for (const { producerId } of others) await party.consume(producerId);
}

export function joined(room: Room, participantId: string): Promise<void> {
  return until(`${participantId} is in the room`, () => room.participantIds.includes(participantId));
}
