/** Composition root of a media thread: the patchbay, and the agent's code that gives it voices. No logic. */
import { createOpenVoice } from './agent/open-voice.ts';
import { runMediaThread } from './media/thread-entry.ts';

await runMediaThread(createOpenVoice);
