import { beforeEach, describe, expect, it } from 'vitest';
import { deskState, handoff, ScriptedDesk } from './scripted-desk.ts';

let desk: ScriptedDesk;

beforeEach(() => {
  desk = new ScriptedDesk();
});

describe('signing in', () => {
  it('asks for a token with the key, each time anew', async () => {
    desk.session.signIn({ key: 'desk-key', name: 'Nora', role: 'human' });
    expect(desk.session.view().phase).toBe('signing-in');
    expect([await desk.link.token(), await desk.link.token()]).toEqual(['a-token', 'a-token']);
    expect(desk.bodies).toEqual(Array(2).fill({ key: 'desk-key', name: 'Nora', role: 'human' }));
  });

  it('uses a token as it is', async () => {
    desk.session.signIn({ token: 'aaa.bbb.ccc' });
    expect(await desk.link.token()).toBe('aaa.bbb.ccc');
    expect(desk.bodies).toEqual([]);
  });

  it('shows what the gateway shows', () => {
    desk.signIn('supervisor', deskState({ handoffs: [handoff()] }));
    expect(desk.session.view()).toMatchObject({ phase: 'signed-in', name: 'Nora', role: 'supervisor' });
    desk.link.events.emit('state', deskState());
    expect(desk.session.view().state.handoffs).toEqual([]);
  });

  it('says why it was refused, and may be tried again', () => {
    desk.session.signIn({ key: 'wrong', name: 'Nora', role: 'human' });
    desk.link.events.emit('refused', new Error('The key is not known.'));
    expect(desk.session.view()).toMatchObject({ phase: 'signed-out', trouble: 'The key is not known.' });
    desk.signIn();
    expect(desk.session.view()).toMatchObject({ phase: 'signed-in', trouble: '' });
  });

  it('takes calls again after the gateway was away, when it did before', async () => {
    desk.signIn();
    await desk.session.setAvailable(true);
    desk.link.events.emit('lost', null);
    expect(desk.session.view().phase).toBe('reconnecting');
    const again = {
      deskId: 'desk-2',
      name: 'Nora',
      role: 'human',
      tenant: 'clinic',
      state: deskState(),
    } as const;
    desk.link.events.emit('signedIn', again);
    expect(desk.link.asked).toEqual(Array(2).fill(['presence', { available: true }]));
    expect(desk.session.view().phase).toBe('signed-in');
  });

  it('forgets everything when it signs out', async () => {
    await desk.talk();
    desk.session.signOut();
    expect(desk.link.closed).toBe(true);
    expect(desk.client.done).toContain('hangUp');
    expect(desk.session.view()).toMatchObject({ phase: 'signed-out', call: undefined });
  });
});

describe('a call', () => {
  it('is accepted, and entered with the token for its room', async () => {
    await desk.talk();
    expect(desk.link.asked).toEqual([['accept', { handoffId: 'handoff-1' }]]);
    expect(desk.client.token).toBe('room-token');
    expect(desk.session.view().call).toMatchObject({ handoffId: 'handoff-1', state: 'talking' });
  });

  it('that a colleague took is told in words, and entered by nobody', async () => {
    desk.signIn();
    desk.link.refusal = new Error('A colleague was quicker.');
    await desk.session.accept('handoff-1', 'call-1');
    expect(desk.clients).toEqual([]);
    expect(desk.session.view().trouble).toBe('A colleague was quicker.');
    desk.link.refusal = undefined;
    await desk.session.decline('handoff-2');
    expect(desk.session.view().trouble).toBe('');
  });

  it('is muted, held, handed back and ended', async () => {
    await desk.talk();
    const { session, client } = desk;
    session.mute(true);
    expect(session.view().call?.muted).toBe(true);
    await session.hold(true);
    await session.hold(false);
    await session.handBack();
    await session.endCall();
    expect(client.done).toEqual([
      ...['call', 'mute true', 'hold {"held":true}', 'hold {"held":false}', 'handBack {}', 'end {}'],
    ]);
    client.events.emit('state', { state: 'ended', ending: { slug: 'visitor-left', text: '' } });
    expect(session.view().call).toBeUndefined();
  });

  it('shows captions, the texts of one utterance in each other’s place', async () => {
    await desk.talk();
    const tell = (utteranceId: string, text: string, final: boolean): void =>
      desk.client.events.emit('caption', { who: 'visitor', utteranceId, text, final });
    tell('a', 'I have', false);
    tell('b', 'Hello', true);
    tell('a', 'I have a fever', true);
    expect(desk.session.view().call?.captions.map(({ text }) => text)).toEqual(['Hello', 'I have a fever']);
    for (let i = 0; i < 500; i += 1) tell(`more-${i}`, 'word', true);
    expect(desk.session.view().call?.captions).toHaveLength(200);
  });

  it('that fails for want of a microphone says so', async () => {
    await desk.talk();
    desk.client.events.emit('state', { state: 'ended', ending: { slug: 'microphone-denied', text: '' } });
    expect(desk.session.view().trouble).toBe('microphone-denied');
  });

  it('says when the browser plays nothing, until a click lets it', async () => {
    await desk.talk();
    desk.client.events.emit('playbackBlocked', null);
    expect(desk.session.view().call?.playbackBlocked).toBe(true);
    desk.session.unblockPlayback();
    expect(desk.client.done).toContain('unblock');
    expect(desk.session.view().call?.playbackBlocked).toBe(false);
  });
});

describe('a supervisor', () => {
  it('enters to listen, then whispers and barges in', async () => {
    desk.signIn('supervisor');
    desk.link.answers['supervise'] = { token: 'ears' };
    await desk.session.supervise('call-1');
    expect(desk.session.view().call).toMatchObject({ handoffId: '', mode: 'listen' });
    await desk.session.setMode('whisper');
    expect(desk.session.view().call?.mode).toBe('whisper');
    await desk.session.setMode('barge');
    expect(desk.client.done.slice(1)).toEqual(['mode {"mode":"whisper"}', 'mode {"mode":"barge"}']);
    desk.session.leave();
    expect(desk.session.view().call).toBeUndefined();
  });
});

describe('the briefing', () => {
  it('is a sound that the browser can play', async () => {
    desk.signIn();
    desk.link.answers['briefing'] = { sound: Buffer.from('RIFF…').toString('base64') };
    const blob = await desk.session.briefing('handoff-1');
    expect(blob?.type).toBe('audio/wav');
    expect(await blob?.text()).toBe('RIFF…');
  });

  it('is left out when nobody can read it aloud: it is in writing anyway', async () => {
    desk.signIn();
    desk.link.refusal = new Error('SPEECH_UNAVAILABLE');
    expect(await desk.session.briefing('handoff-1')).toBeUndefined();
    expect(desk.session.view().trouble).toBe('');
  });
});
