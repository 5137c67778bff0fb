/** A call whose page goes, and one whose network has no way but a relay that refuses. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrunklineClient } from '../../../widget/client/trunkline-client.ts';
import { until } from '../../support/until.ts';
import { GatewayStand } from '../../support/widget/gateway-stand.ts';
import { ScriptedMedia, ScriptedMicrophones } from './scripted-parts.ts';

let stand: GatewayStand;
let microphones: ScriptedMicrophones;
let media: ScriptedMedia;
let client: TrunklineClient;
/** Every state of the present page, and the endings. */
let states: string[];
let troubles: string[];

function loadPage(patienceMs = 30_000): void {
  states = [];
  client = new TrunklineClient({
    server: stand.url,
    credentials: () => ({ token: 'signed' }),
    microphones,
    media: () => (media = new ScriptedMedia()),
    patienceMs,
  });
  client.events.on('state', ({ state, ending }) => states.push(ending?.slug ?? state));
  client.events.on('trouble', ({ message }) => troubles.push(message));
}

const state = (wanted: string): Promise<void> => until(wanted, () => states.at(-1) === wanted);
const opened = (): Promise<void> => until('its sound is built', () => media.done.includes('open'));

async function talk(): Promise<void> {
  await client.call();
  await opened();
  media.connection('send', true);
  await state('talking');
}

beforeEach(async () => {
  stand = await GatewayStand.start();
  microphones = new ScriptedMicrophones();
  troubles = [];
  loadPage();
});

afterEach(async () => {
  client.hangUp();
  await stand.close();
  expect(microphones.inUse).toEqual([]);
});

describe('a page that goes', () => {
  it('gives the call up for the next page, which goes on with it', async () => {
    await talk();
    const token = client.suspend();
    expect(token).toBe('resume-1');
    expect(states.at(-1)).toBe('page-gone');
    await until('the gateway knows', () => stand.names().includes('page.gone'));
    loadPage();
    await client.resume(token ?? '');
    await opened();
    expect(states).toEqual(['reconnecting']);
    expect(stand.asked.findLast(({ name }) => name === 'join')?.ask).toEqual({ resumeToken: 'resume-1' });
    media.connection('send', true);
    await state('talking');
  });

  it('has nothing to give up while there is no call', () => {
    expect(client.suspend()).toBeUndefined();
    expect(states).toEqual([]);
  });

  it('hangs up when the call has not begun yet', async () => {
    stand.unanswered.add('join');
    await client.call();
    expect(client.suspend()).toBeUndefined();
    expect(states.at(-1)).toBe('caller-hung-up');
  });

  it('tells that the connection is lost when the gateway does not take it back', async () => {
    stand.refusals.set('join', 'WEB_RESUME_TOO_LATE');
    await client.resume('old');
    await state('connection-lost');
  });

  it('does not wait for ever to be taken back', async () => {
    loadPage(50);
    stand.unanswered.add('join');
    await client.resume('old');
    await state('connection-lost');
  });

  it('says what is wrong with the microphone of the next page', async () => {
    microphones.problem = 'microphone-denied';
    await client.resume('old');
    await state('microphone-denied');
  });
});

describe('a relay that refuses', () => {
  it('ends a call that has no other way', async () => {
    await client.call();
    await opened();
    media.events.emit('relayRefused', { url: 'turn:relay.test', reason: '401 Unauthorized' });
    await state('relay-refused');
    expect(troubles).toEqual(['the relay turn:relay.test refused us: 401 Unauthorized']);
  });

  it('does not end a call that is on', async () => {
    await talk();
    media.events.emit('relayRefused', { url: 'turn:relay.test', reason: '401 Unauthorized' });
    expect(states.at(-1)).toBe('talking');
  });
});
