/** One client of the local server that speaks Live: its session, and typed ways to answer it. */
import type { ServerEvent, SessionResource } from 'openai/resources/live/live';
import { newId } from '../../../../src/base/ids.ts';
import { Peer } from '../peer.ts';
import type { LiveClientEvent, LiveSessionConfig } from './client-schema.ts';

/** A server event before it gets its id. */
export type LiveOutgoing = ServerEvent extends infer E
  ? E extends { event_id: string }
    ? Omit<E, 'event_id'>
    : E
  : never;

/** The vendor ends a session after this time. */
const session_s_max = 7200;

export class LiveConnection extends Peer<LiveClientEvent> {
  /** null: `session.start` has not come. */
  session: SessionResource | null = null;
  config: LiveSessionConfig | null = null;

  send(event: LiveOutgoing): void {
    const bare = event.type === 'session.output_audio.delta';
    const whole = bare ? event : { event_id: newId('event'), ...event };
    this.write(whole);
  }

  error(code: string, message: string, clientEventId?: string): void {
    const named = clientEventId === undefined ? {} : { client_event_id: clientEventId };
    this.send({
      type: 'error',
      error: { type: 'invalid_request_error', code, message, ...named },
      ...named,
    });
  }

  start(config: LiveSessionConfig, clientEventId?: string): void {
    this.config = config;
    this.session = {
      id: newId('sess'),
      status: 'active',
      expires_at: Math.floor(Date.now() / 1000) + session_s_max,
      model: config.model,
      delegation: config.delegation ?? null,
      ...(config.instructions === undefined ? {} : { instructions: config.instructions }),
      ...(config.input === undefined ? {} : { input: config.input }),
      audio: {
        format: config.audio?.format ?? { type: 'audio/pcm', rate: 24_000 },
        output: { voice: config.audio?.output?.voice ?? 'marin' },
      },
    };
    this.send({
      type: 'session.started',
      session: this.session,
      ...(clientEventId === undefined ? {} : { client_event_id: clientEventId }),
    });
  }
}
