/**
 * Real speech in, real speech out, and a mind between them: the offline recogniser behind
 * `/audio/transcriptions`, the offline dialog behind `/chat/completions`, flite behind `/audio/speech`. A
 * stateless server, as the vendor's is: every answer is worked out from the messages of its request alone.
 */
import type { AgentProfile } from '../../../src/agent/profile.ts';
import { Dialog, type DialogAction } from '../../../src/agent/models/offline/dialog.ts';
import { FLITE_RATE_HZ, FLITE_VOICES, speak } from '../../../src/agent/models/offline/flite.ts';
import { Recogniser } from '../../../src/agent/models/offline/recogniser.ts';
import { encode } from '../../../src/media/g711.ts';
import { resample } from '../sound/resample.ts';
import { decodeWav } from '../sound/wav.ts';
import type { ChatBody, ChatMessage, SpeechBody, TranscriptionBody } from './bodies.ts';
import { ChatWriter, hears, sendSound } from './replies.ts';
import type { Exchange } from './server.ts';
import { startOpenAiServer, type OpenAiServer } from './server.ts';

export interface LiveOptions {
  readonly profile: AgentProfile;
  /** Keeps the recogniser's language models. */
  readonly cacheFolder: string;
  readonly port?: number;
  readonly now?: () => Date;
}

const telephone_hz = 8000;
const pcm_hz = 24_000;

/** The clerk's mind, after all that was said: what to do next. */
export function nextActions(
  messages: readonly ChatMessage[],
  options: { profile: AgentProfile; now: () => Date },
): { actions: DialogAction[]; expecting: string } {
  const dialog = new Dialog(options);
  let actions: DialogAction[] = [];
  let hangUp: string | undefined;
  for (const message of messages) {
    if (message.role === 'assistant')
      hangUp = message.tool_calls?.find((call) => call.function.name === 'hang_up')?.id ?? hangUp;
    else if (message.role === 'tool' && message.tool_call_id === hangUp) dialog.resume();
    else if (message.role === 'tool') actions = dialog.toolResult(JSON.parse(message.content));
    // What stands in brackets nobody said.
    else if (message.role === 'user')
      actions = dialog.heard(message.content.replace(/\[[^\]]*\]/g, ' ').trim());
  }
  return { actions, expecting: dialog.expecting };
}

export async function startLiveServer(options: LiveOptions): Promise<OpenAiServer> {
  const { profile, now = () => new Date() } = options;
  const recogniser = new Recogniser({ cacheFolder: options.cacheFolder });
  const model = await recogniser.prepare(profile);
  // What the caller will probably say next: the mind knows it, and tells the ear.
  let expecting: string | undefined;

  const transcribe = async (exchange: Exchange<TranscriptionBody>): Promise<void> => {
    const { channels, sampleRateHz } = decodeWav(exchange.body.file.bytes);
    const samples = resample(channels[0] ?? new Int16Array(0), sampleRateHz, telephone_hz);
    const bytes = new Uint8Array(samples.length);
    encode('pcmu', samples, bytes);
    const ear = recogniser.ear({ model, codec: 'pcmu' });
    if (expecting !== undefined) ear.expect(expecting);
    ear.start();
    ear.hear(bytes);
    const { text } = await ear.end();
    ear.close();
    await hears(text, { type: 'duration', seconds: samples.length / telephone_hz })(exchange);
  };

  const chat = (exchange: Exchange<ChatBody>): void => {
    const next = nextActions(exchange.body.messages, { profile, now });
    expecting = next.expecting;
    write(new ChatWriter(exchange), next.actions);
  };

  const say = ({ body, response }: Exchange<SpeechBody>): void => {
    const voice = FLITE_VOICES.find((name) => name === body.voice) ?? 'slt';
    sendSound(response, body.response_format, resample(speak(body.input, voice), FLITE_RATE_HZ, pcm_hz));
  };

  const server = await startOpenAiServer({
    transcribe,
    chat,
    speak: say,
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  const stop = server.close.bind(server);
  return Object.assign(server, {
    close: async (): Promise<void> => {
      await Promise.all([stop(), recogniser.close()]);
    },
  });
}

function write(writer: ChatWriter, actions: readonly DialogAction[]): void {
  let called = 0;
  for (const action of actions) {
    switch (action.type) {
      case 'say':
        writer.words(`${action.text} `);
        break;
      case 'tool':
        writer.call(called, action.name, JSON.stringify(action.arguments));
        called += 1;
        break;
      case 'hang_up':
        writer.call(called, 'hang_up', JSON.stringify({ reason: action.reason }));
        called += 1;
        break;
    }
  }
  // A mind that has nothing to say while a tool runs still owes an answer.
  if (actions.length === 0) writer.words('One moment, please.');
  writer.finish(called > 0 ? 'tool_calls' : 'stop');
}
