/** A model that says a word whenever it is asked to, and uses the tools that a test tells it to use. */
import type { AgentProfile } from '../../../src/agent/profile.ts';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { Responder } from './responder.ts';
import { startRealtimeServer, type RealtimeServer } from './server.ts';

export interface ToolUse {
  readonly name: string;
  readonly arguments: object;
}

/** 100 ms of silence in G.711 mu-law. */
const word = new Uint8Array(800).fill(0xff);

export class ToolUser {
  readonly #server: RealtimeServer;
  readonly #minds: Responder[];

  private constructor(server: RealtimeServer, minds: Responder[]) {
    this.#server = server;
    this.#minds = minds;
  }

  /** `atOnce`: the tool that every conversation begins with, right after the greeting. */
  static async start(options: { atOnce?: ToolUse } = {}): Promise<ToolUser> {
    const minds: Responder[] = [];
    const server = await startRealtimeServer({
      behave: (connection) => {
        const mind = new Responder(connection);
        minds.push(mind);
        let begun = false;
        return {
          event: (event) => {
            const reply = mind.take(event);
            if (reply === undefined) return;
            reply.words('Well.');
            reply.audio(word);
            mind.finish();
            if (options.atOnce !== undefined && !begun) use(mind, options.atOnce);
            begun = true;
          },
        };
      },
    });
    return new ToolUser(server, minds);
  }

  /** For `realtime` in a configuration. */
  get settings(): { base_url: string; api_key: string } {
    return { base_url: this.#server.baseUrl, api_key: 'test' };
  }

  /** Uses a tool in the latest conversation. */
  use(tool: ToolUse): void {
    const mind = this.#minds.at(-1);
    if (mind === undefined) throw new Error('nobody has called yet');
    use(mind, tool);
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

function use(mind: Responder, tool: ToolUse): void {
  const reply = mind.begin();
  reply.call(tool.name, JSON.stringify(tool.arguments));
  mind.finish();
}

/** An agent with such a model behind it. */
export function toolUserProfile(name: string, over: object): AgentProfile {
  return agentProfileSchema.parse({
    name,
    model: { adapter: 'realtime' },
    greeting: 'Hello.',
    not_understood: ['Sorry?'],
    still_there: ['Are you there?'],
    anything_else: 'Anything else?',
    goodbye: 'Goodbye.',
    tasks: [{ name: 'goodbye', phrases: ['goodbye'], done: 'Goodbye.', ends_call: true }],
    turns: { idle_ms: 120_000 },
    ...over,
  });
}
