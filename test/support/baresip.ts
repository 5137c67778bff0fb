/**
 * Drives baresip, a real softphone, through its control socket: JSON in netstrings over TCP (ctrl_tcp).
 * Configuration, account and recordings live in a folder of its own, which `close` removes.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Codec } from '../../src/media/frame.ts';
import { freeUdpPort } from './sipp.ts';
import { joined, silence } from './sound/level.ts';
import { readWav, writeWav } from './sound/wav.ts';

const modules = '/usr/lib/baresip/modules';
/** baresip hangs up at the end of its microphone file, so every file ends in this much silence. */
const microphone_silence_ms = 120_000;
const events_kept_max = 1000;

const messageSchema = z.union([
  z.looseObject({ response: z.literal(true), ok: z.boolean(), data: z.string(), token: z.string() }),
  z.looseObject({ event: z.literal(true), type: z.string(), param: z.string().optional() }),
]);
type Message = z.infer<typeof messageSchema>;
export type BaresipEvent = Extract<Message, { event: true }>;

export interface BaresipOptions {
  readonly codec: Codec;
  readonly transport?: 'udp' | 'tcp';
}

export class Baresip {
  readonly #child: ChildProcess;
  readonly #control: net.Socket;
  readonly #folder: string;
  #printed = '';
  readonly #events: BaresipEvent[] = [];
  #listener: (() => void) | undefined;
  readonly #asked = new Map<string, (message: Extract<Message, { response: true }>) => void>();
  #tokens = 0;
  #utterances = 0;
  #unread = Buffer.alloc(0);

  private constructor(child: ChildProcess, control: net.Socket, folder: string) {
    this.#child = child;
    this.#control = control;
    this.#folder = folder;
    child.stdout?.on(
      'data',
      (bytes: Buffer) => (this.#printed = `${this.#printed}${String(bytes)}`.slice(-8000)),
    );
    control.on('data', (bytes: Buffer) => this.#read(bytes));
    control.on('error', () => undefined);
  }

  static async start(options: BaresipOptions): Promise<Baresip> {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-baresip-'));
    const [sipPort, controlPort] = [await freeUdpPort('127.0.0.1'), await freeTcpPort()];
    await mkdir(join(folder, 'recordings'));
    await writeWav(join(folder, 'silence.wav'), microphone(new Int16Array(0)));
    await writeFile(join(folder, 'config'), configuration(folder, sipPort, controlPort));
    await writeFile(join(folder, 'accounts'), account(options));
    const child = spawn('baresip', ['-4', '-f', folder, '-p', '/usr/share/baresip'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const control = await connected(child, controlPort);
    return new Baresip(child, control, folder);
  }

  async dial(uri: string): Promise<void> {
    await this.command('dial', uri);
  }

  async hangUp(): Promise<void> {
    await this.command('hangup');
  }

  async hold(): Promise<void> {
    await this.command('hold');
  }

  async resume(): Promise<void> {
    await this.command('resume');
  }

  /** Presses one key (RFC 4733). */
  async press(digit: string): Promise<void> {
    await this.command('sndcode', digit);
  }

  /** Speaks into the microphone from now on; silence follows. */
  async say(samples: Int16Array): Promise<void> {
    this.#utterances += 1;
    const path = join(this.#folder, `utterance-${this.#utterances}.wav`);
    await writeWav(path, microphone(samples));
    await this.command('ausrc', `aufile,${path}`);
  }

  /** Resolves with baresip's answer; rejects when it refuses. */
  async command(command: string, params?: string): Promise<string> {
    this.#tokens += 1;
    const token = String(this.#tokens);
    const request = JSON.stringify({ command, token, ...(params === undefined ? {} : { params }) });
    const answered = new Promise<Extract<Message, { response: true }>>((resolve) =>
      this.#asked.set(token, resolve),
    );
    this.#control.write(`${Buffer.byteLength(request)}:${request},`);
    const answer = await answered;
    if (!answer.ok) throw new Error(`baresip refuses ${command} ${params ?? ''}: ${answer.data}`);
    return answer.data;
  }

  /** The next event of this type; events before it are passed over. Rejects after `timeoutMs`. */
  async event(type: string, timeoutMs = 15_000): Promise<BaresipEvent> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const index = this.#events.findIndex((event) => event.type === type);
      const [found] = index < 0 ? [] : this.#events.splice(0, index + 1).slice(-1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve, reject) => {
        const tooLate = (): void => {
          const seen = this.#events.map((event) => event.type).join(', ');
          reject(new Error(`baresip told no ${type} within ${timeoutMs} ms, but: ${seen || 'nothing'}`));
        };
        deadline.addEventListener('abort', tooLate, { once: true });
        this.#listener = () => {
          deadline.removeEventListener('abort', tooLate);
          resolve();
        };
      });
    }
  }

  /** What baresip heard from the far end in its calls so far, 8 kHz; complete once the call is closed. */
  async heard(): Promise<Int16Array> {
    const folder = join(this.#folder, 'recordings');
    const names = (await readdir(folder)).filter((name) => name.endsWith('-dec.wav')).sort();
    const sounds = await Promise.all(names.map((name) => readWav(join(folder, name))));
    return joined(...sounds.map((sound) => sound.channels[0] ?? new Int16Array(0)));
  }

  /** Resolves with the end of what baresip printed. */
  async close(): Promise<string> {
    const exited = this.#child.exitCode === null ? once(this.#child, 'exit') : Promise.resolve();
    // SIGTERM ends calls with a BYE, as `quit` does.
    this.#child.kill('SIGTERM');
    await exited;
    this.#control.destroy();
    await rm(this.#folder, { recursive: true, force: true });
    return this.#printed;
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const colon = this.#unread.indexOf(':');
      if (colon < 0) return;
      const start = colon + 1;
      const end = start + Number(this.#unread.toString('latin1', 0, colon));
      if (this.#unread.length <= end) return;
      const message = messageSchema.parse(JSON.parse(this.#unread.toString('utf8', start, end)));
      this.#unread = this.#unread.subarray(end + 1);
      if ('token' in message) this.#answered(message as Extract<Message, { response: true }>);
      else this.#happened(message);
    }
  }

  #answered(message: Extract<Message, { response: true }>): void {
    this.#asked.get(message.token)?.(message);
    this.#asked.delete(message.token);
  }

  #happened(event: BaresipEvent): void {
    this.#events.push(event);
    if (this.#events.length > events_kept_max) this.#events.shift();
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.();
  }
}

function microphone(samples: Int16Array): { sampleRateHz: number; channels: Int16Array[] } {
  return { sampleRateHz: 8000, channels: [joined(samples, silence(microphone_silence_ms))] };
}

function configuration(folder: string, sipPort: number, controlPort: number): string {
  const settings = [
    'net_interface 127.0.0.1',
    `sip_listen 127.0.0.1:${sipPort}`,
    'call_max_calls 4',
    // A bridge that nobody reads swallows sound at the right pace.
    `audio_player aubridge,sink${sipPort}`,
    `audio_source aufile,${join(folder, 'silence.wav')}`,
    `audio_alert aubridge,alert${sipPort}`,
    'ausrc_srate 8000',
    'auplay_srate 8000',
    'ausrc_channels 1',
    'auplay_channels 1',
    'ausrc_format s16',
    'auplay_format s16',
    'auenc_format s16',
    'audec_format s16',
    'audio_buffer 20-160',
    'rtp_ports 40000-49998',
    'jitter_buffer_delay 5-10',
    'rtp_stats yes',
    `module_path ${modules}`,
    ...['g711', 'sndfile', 'aufile', 'aubridge'].map((name) => `module ${name}.so`),
    ...['uuid', 'account'].map((name) => `module_tmp ${name}.so`),
    ...['menu', 'debug_cmd', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
    `snd_path ${join(folder, 'recordings')}`,
  ];
  return `${settings.join('\n')}\n`;
}

function account({ codec, transport = 'udp' }: BaresipOptions): string {
  const settings = `regint=0;answermode=manual;audio_codecs=${codec}/8000/1`;
  return `<sip:caller@127.0.0.1;transport=${transport}>;${settings}\n`;
}

/** baresip says when its modules are loaded; from then on its control socket answers. */
async function connected(child: ChildProcess, port: number): Promise<net.Socket> {
  const exited = once(child, 'exit').then(() => {
    throw new Error('baresip stopped before it could be asked anything');
  });
  exited.catch(() => undefined);
  let printed = '';
  const ready = new Promise<void>((resolve) =>
    child.stdout?.on('data', (bytes: Buffer) => {
      printed += String(bytes);
      if (printed.includes('baresip is ready')) resolve();
    }),
  );
  await Promise.race([ready, exited]);
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freeTcpPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port');
  return address.port;
}
