/** What is on the page in every state of a desk, as assistive technology reads it. */
import type { ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { beforeEach, describe, expect, it } from 'vitest';
import { Desk } from '../../../console/desk/desk.tsx';
import { CALL_WORDS, callerName, duration, troubleWords } from '../../../console/desk/words.ts';
import { CALL_STATE } from '../../../widget/client/call-state.ts';
import { deskState, handoff, liveCall, ScriptedDesk } from './scripted-desk.ts';

let desk: ScriptedDesk;

beforeEach(() => {
  desk = new ScriptedDesk();
});

const page = (element: ReactElement = <Desk session={desk.session} />): string =>
  renderToStaticMarkup(element).replaceAll('&#x27;', "'");

/** The buttons that can be pressed, by their words. */
const buttons = (): string[] =>
  [...page().matchAll(/<button(?![^>]*disabled)[^>]*>([^<]*)<\/button>/g)].map((match) => match[1] ?? '');

describe('the way in', () => {
  it('asks for name, key and role, each with a label', () => {
    const html = page();
    for (const label of ['Your name', 'Desk key or token', 'human agent', 'supervisor'])
      expect(html).toMatch(new RegExp(`<label[^>]*>(<input[^>]*>)?${label}`));
    expect(html).toContain('type="password"');
    expect(buttons()).toEqual(['Sign in']);
  });

  it('says why nobody was let in', () => {
    desk.session.signIn({ key: 'wrong', name: 'Nora', role: 'human' });
    expect(page()).toContain('Signing in …');
    expect(buttons()).toEqual([]);
    desk.link.events.emit('refused', new Error('The key is not known.'));
    expect(page()).toMatch(/role="alert"[^>]*>The key is not known\./);
  });
});

describe('a desk that waits', () => {
  it('says who sits there, and whether it takes calls', () => {
    desk.signIn('human', deskState({ colleagues: { available: 2, busy: 1, away: 0 } }));
    expect(page()).toContain('Nora, human agent · 2 free, 1 talking, 0 away');
    expect(page()).toMatch(/role="switch" aria-checked="false"[^>]*>Not taking calls/);
    desk.link.events.emit('state', deskState({ available: true }));
    expect(page()).toMatch(/role="switch" aria-checked="true"[^>]*>Taking calls/);
    expect(page()).toContain('Nobody waits.');
  });

  it('lists callers who wait, with what they want, how long, and who has them', () => {
    const waiting = handoff({ ringsHere: false, state: 'waiting' });
    const taken = handoff({ handoffId: 'h2', ringsHere: false, state: 'joining', by: 'Omar', from: '' });
    const talking = handoff({ handoffId: 'h3', ringsHere: false, state: 'talking', from: '+15550777' });
    desk.signIn('human', deskState({ handoffs: [waiting, taken, talking] }));
    expect(page(), 'whoever talks does not wait').not.toContain('+15550777');
    expect(page()).toMatch(/\+15550199<\/strong> <span[^>]*>waits with music/);
    expect(page()).toMatch(/A caller without a number<\/strong> <span[^>]*>with Omar/);
    expect(page()).toContain('Emily Wilson has a fever.');
    expect(page()).toContain('1:05');
    expect(page()).not.toContain('data-testid="ringing"');
  });

  it('says when the gateway is away', () => {
    desk.signIn();
    desk.link.events.emit('lost', null);
    expect(page()).toMatch(/role="alert"[^>]*>The gateway is away/);
  });
});

describe('a desk that rings', () => {
  beforeEach(() => desk.signIn('human', deskState({ available: true, handoffs: [handoff()] })));

  it('announces who calls and why, and offers to accept first', () => {
    const html = page();
    expect(html).toMatch(/role="alert"><h2[^>]*>\+15550199 wants to speak to a person/);
    expect(html).toContain('asks for a nurse');
    expect(html).toMatch(/<p class="briefing">Emily Wilson has a fever\./);
    expect(html).toMatch(/<button[^>]*autofocus[^>]*>Accept/i);
    expect(buttons()).toEqual(['Taking calls', 'Sign out', 'Accept', 'Decline']);
  });

  it('shows what was said before, with who said it', () => {
    expect(page()).toMatch(/Agent: <\/span>How can I help you\?/);
    expect(page()).toMatch(/Caller: <\/span>A nurse, please\./);
  });

  it('lists the caller who rings here nowhere else', () => {
    expect(page().match(/\+15550199/g)).toHaveLength(1);
  });
});

describe('a desk that talks', () => {
  it('offers to mute, hold, hand back and end, and shows what is said', async () => {
    await desk.talk();
    desk.client.events.emit('caption', {
      who: 'visitor',
      utteranceId: 'a',
      text: 'My head hurts',
      final: true,
    });
    expect(page()).toMatch(/data-testid="own-call" data-state="talking"/);
    expect(page()).toMatch(/role="status">Connected/);
    expect(page()).toMatch(/role="log"[^>]*>.*Caller: <\/span>My head hurts/);
    const offered = ['Mute', 'Hold', 'Hand back to the agent', 'End the call'];
    expect(buttons()).toEqual(expect.arrayContaining(offered));
    expect(page()).toMatch(/aria-pressed="false"[^>]*>Mute/);
    desk.session.mute(true);
    expect(page()).toMatch(/aria-pressed="true"[^>]*>Mute/);
  });

  it('says that the caller hears music while it holds', async () => {
    await desk.talk();
    const held = handoff({ state: 'held', ringsHere: false, mine: true });
    desk.link.events.emit('state', deskState({ handoffs: [held] }));
    expect(page()).toMatch(/role="status">On hold: the caller hears music/);
    expect(page()).toMatch(/aria-pressed="true"[^>]*>Hold/);
  });

  it('is rung for nothing else meanwhile', async () => {
    await desk.talk();
    desk.link.events.emit('state', deskState({ handoffs: [handoff({ handoffId: 'h9' })] }));
    expect(page()).not.toContain('data-testid="ringing"');
  });

  it('offers to turn the sound on where the browser wants a click first', async () => {
    await desk.talk();
    desk.client.events.emit('playbackBlocked', null);
    expect(buttons()).toContain('Turn the sound on');
  });
});

describe('a supervisor’s desk', () => {
  it('lists the calls, with whom each is, and has no switch to take calls', () => {
    const calls = [
      liveCall(),
      liveCall({ callId: 'call-2', from: '', source: 'web', with: 'human', by: 'Omar' }),
    ];
    desk.signIn('supervisor', deskState({ calls }));
    const html = page();
    expect(html).not.toContain('role="switch"');
    expect(html).toMatch(/\+15550199<\/strong> <span[^>]*>with the AI agent/);
    expect(html).toMatch(/A visitor of the web page<\/strong> <span[^>]*>with Omar/);
    expect(html).toContain('aria-label="Listen to +15550199"');
  });

  it('says who hears, in each of its modes', async () => {
    desk.signIn('supervisor', deskState({ calls: [liveCall()] }));
    desk.link.answers['supervise'] = { token: 't' };
    await desk.session.supervise('call-1');
    expect(page()).toContain('You hear everybody; nobody hears you.');
    expect(page()).toMatch(/aria-pressed="true"[^>]*>Listen</);
    expect(page()).toMatch(/<button[^>]*disabled[^>]*>Listen</);
    await desk.session.setMode('whisper');
    expect(page()).toContain('Only the human agent hears you.');
    await desk.session.setMode('barge');
    expect(page()).toContain('Everybody hears you, the caller, too.');
    expect(buttons()).toEqual(expect.arrayContaining(['Whisper', 'Barge in', 'Leave', 'End the call']));
  });
});

describe('words', () => {
  it.each([
    ['+15550123', 'phone', '+15550123'],
    ['', 'phone', 'A caller without a number'],
    ['https://clinic.example', 'web', 'A visitor of clinic.example'],
    ['token', 'web', 'A visitor of the web page'],
  ] as const)('call %j by %s: %s', (from, source, name) => {
    expect(callerName({ from, source })).toBe(name);
  });

  it.each([
    [0, '0:00'],
    [999, '0:00'],
    [61_000, '1:01'],
    [600_000, '10:00'],
    [-5, '0:00'],
  ])('%i ms is %s', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  it('are there for every state of a call, and for what a microphone may lack', () => {
    for (const state of Object.values(CALL_STATE)) expect(CALL_WORDS[state]).not.toBe('');
    expect(troubleWords('microphone-denied')).toMatch(/allow it/);
    expect(troubleWords('A sentence of the gateway.')).toBe('A sentence of the gateway.');
  });
});
