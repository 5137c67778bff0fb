/** A media thread whose voices are echoes. */
import { runMediaThread } from '../../../src/media/thread-entry.ts';
import { EchoVoice } from './echo-voice.ts';

await runMediaThread((agentOptions) => {
  if (agentOptions === 'broken') throw new Error('this agent cannot start');
  return { openVoice: (_spec, host) => new EchoVoice(host), close: () => Promise.resolve() };
});
