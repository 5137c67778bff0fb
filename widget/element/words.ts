/** Every word that the widget says: states, buttons, and what to do when something is in the way. */
import { LOCAL_ENDING } from '../client/call-ending.ts';
import type { CallState } from '../client/call-state.ts';
import { MICROPHONE_PROBLEM } from '../client/microphone.ts';

export const STATE_WORDS: Readonly<Record<CallState, string>> = {
  idle: 'Ready when you are',
  'asking-microphone': 'Please allow the microphone',
  connecting: 'Connecting…',
  talking: 'You are talking',
  reconnecting: 'Connection lost. Reconnecting…',
  ended: 'Call ended',
};

/** In place of "Call ended" when there never was a conversation. */
export const NOT_STARTED = 'The call could not start';

export const HINTS: Readonly<Record<CallState, string>> = {
  idle: 'Talk right here in your browser. Nothing to install.',
  'asking-microphone': 'Your browser is asking whether this page may hear you.',
  connecting: 'This takes a moment.',
  talking: '',
  reconnecting: 'Stay with us. The conversation goes on where it was.',
  ended: '',
};

/** In place of the hint while the visitor's microphone is off. */
export const MUTED = 'Your microphone is off. Nobody hears you.';

/** A heading and what to do, for endings that the visitor can do something about. */
export interface Explanation {
  readonly heading: string;
  readonly text: string;
}

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  [MICROPHONE_PROBLEM.denied]: {
    heading: 'The microphone is blocked',
    text:
      'Without it nobody can hear you. Click the icon to the left of the page’s address, ' +
      'allow the microphone, and call again.',
  },
  [MICROPHONE_PROBLEM.missing]: {
    heading: 'No microphone found',
    text: 'Plug in a headset or microphone, or switch it on in your system’s sound settings, and call again.',
  },
  [MICROPHONE_PROBLEM.busy]: {
    heading: 'The microphone is busy',
    text: 'Another program may be using it. Close other calls or meetings, and call again.',
  },
  [MICROPHONE_PROBLEM.insecure]: {
    heading: 'This page is not secure',
    text: 'Browsers share the microphone only with pages whose address begins with https.',
  },
  [LOCAL_ENDING.unreachable]: {
    heading: 'We cannot be reached',
    text: 'Please check your internet connection, and call again in a moment.',
  },
  [LOCAL_ENDING.relayRefused]: {
    heading: 'We could not get through',
    text:
      'Your network lets calls out through a relay only, and the relay did not accept us. ' +
      'Reload the page and call again. If that does not help, the fault is ours.',
  },
  [LOCAL_ENDING.lost]: {
    heading: 'The connection was lost',
    text: 'We tried to bring it back, without success. Please call again.',
  },
  'no-capacity': { heading: 'All lines are busy', text: 'Please call again in a few minutes.' },
  'shutting-down': { heading: 'We are restarting', text: 'Please call again in a minute.' },
  'model-unavailable': {
    heading: 'Nobody can answer right now',
    text: 'Please call again in a few minutes.',
  },
  'media-failure': { heading: 'Something went wrong', text: 'The fault is ours. Please call again.' },
  'internal-error': { heading: 'Something went wrong', text: 'The fault is ours. Please call again.' },
};

const GOODBYES: Readonly<Record<string, string>> = {
  [LOCAL_ENDING.hungUp]: 'You hung up. Thank you for calling.',
  'agent-hung-up': 'Thank you for calling.',
  'max-duration': 'The longest time for one call was reached.',
};

/** What to do about an ending; undefined where all went as it should. */
export function explanationOf(slug: string, text = ''): Explanation | undefined {
  if (slug === LOCAL_ENDING.refused) return { heading: 'The call was not taken', text };
  return EXPLANATIONS[slug];
}

/** Said under "Call ended" when all went as it should. */
export function goodbyeOf(slug: string, text = ''): string {
  return GOODBYES[slug] ?? text;
}

/** `book_appointment` -> `book appointment`. */
export function toolWords(name: string): string {
  return name.replaceAll(/[_-]+/g, ' ').trim();
}

/** `1:05`, as long calls are counted. */
export function durationWords(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
