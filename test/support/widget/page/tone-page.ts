/**
 * Runs inside a page, before anything else in it: a visitor whose microphone is one tone, and who can be
 * asked what reached its ears. The call itself is made by the client that `/widget.js` ships.
 *
 * The tone does not come from a fake device, because browsers clean what devices hear, and a steady tone is
 * what their noise suppression takes away.
 */
import type { TrunklineClient } from '../../../../widget/client/trunkline-client.ts';
import type { Microphone, Microphones } from '../../../../widget/client/microphone.ts';
import type { Path, ToneCall } from '../tone-call.ts';

export interface TonePage {
  client: TrunklineClient | undefined;
  /** Why the last call is over; undefined while there is one. */
  ending: string | undefined;
  /** The participants of whom the gateway has ever said that they speak. */
  spoke: string[];
  /** Begins a call. */
  call(options: ToneCall): Promise<void>;
  /**
   * The next second of every far voice, 8 kHz, 16 bit, base64: taken behind the browser's own receiver,
   * jitter buffer and decoder, from the tracks that the client plays.
   */
  listen(): Promise<string[]>;
  /** What is sent and received, by the names of the codecs, each once. */
  codecs(): Promise<string[]>;
  /** The ICE user name fragment of each connection: another one after every restart (RFC 8445 section 9). */
  iceNames(): string[];
  /** The selected candidate pair of every connection: our own end. */
  paths(): Promise<Path[]>;
}

declare global {
  interface Window {
    tonePage: TonePage;
  }
}

const listen_hz = 8000;
const listen_samples = 8192;
const tone_level = 0.25;

const peers: RTCPeerConnection[] = [];

/** As the network of this visitor: of the relays' addresses, those of one protocol only can be reached. */
let relayProtocol: ToneCall['relayProtocol'];
const reachable_urls = {
  udp: /^turn:.*transport=udp$/,
  tcp: /^turn:.*transport=tcp$/,
  tls: /^turns:/,
} as const;

/** Every connection of the page is known, so that what it receives can be measured. */
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration: RTCConfiguration = {}) {
    const wanted = relayProtocol === undefined ? /^/ : reachable_urls[relayProtocol];
    const iceServers = configuration.iceServers?.map((server) => ({
      ...server,
      urls: [server.urls].flat().filter((url) => wanted.test(url)),
    }));
    super({ ...configuration, ...(iceServers === undefined ? {} : { iceServers }) });
    peers.push(this);
  }
};

function toneMicrophones(frequencyHz: number): Microphones {
  const open = (): Promise<Microphone> => {
    const context = new AudioContext();
    const oscillator = new OscillatorNode(context, { frequency: frequencyHz });
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    oscillator.connect(new GainNode(context, { gain: tone_level })).connect(destination);
    oscillator.start();
    const [track] = destination.stream.getAudioTracks();
    if (track === undefined) throw new Error('a destination without a track');
    return Promise.resolve({
      track,
      level: () => tone_level,
      onLost: () => undefined,
      close: () => void context.close(),
    });
  };
  return { open, list: () => Promise.resolve([]), onChanged: () => () => undefined };
}

function openPeers(): RTCPeerConnection[] {
  return peers.filter((peer) => peer.connectionState !== 'closed');
}

function farTracks(): MediaStreamTrack[] {
  const receivers = openPeers().flatMap((peer) => peer.getTransceivers());
  return receivers
    .filter(({ currentDirection }) => currentDirection === 'recvonly')
    .map(({ receiver }) => receiver.track)
    .filter((track) => track.kind === 'audio' && track.readyState === 'live');
}

type Stat = Partial<Record<string, string>>;

/** Of every open connection (webrtc-stats). */
async function stats(): Promise<Stat[][]> {
  const reports = await Promise.all(openPeers().map((peer) => peer.getStats()));
  return reports.map((report) => [...report.values()] as Stat[]);
}

function asBase64(samples: Float32Array): string {
  const whole = Int16Array.from(samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32_767);
  return btoa(String.fromCharCode(...new Uint8Array(whole.buffer)));
}

window.tonePage = {
  client: undefined,
  ending: undefined,
  spoke: [],

  async call({ credentials, frequencyHz, ...network }) {
    relayProtocol = network.relayProtocol;
    const path = '/widget.js';
    const widget = (await import(path)) as { TrunklineClient: typeof TrunklineClient };
    const client = new widget.TrunklineClient({
      server: location.origin,
      credentials: () => credentials,
      microphones: toneMicrophones(frequencyHz),
    });
    client.events.on('state', ({ ending }) => (this.ending = ending && `${ending.slug} ${ending.text}`));
    client.events.on('speaking', ({ participantId, speaking }) => {
      if (speaking && !this.spoke.includes(participantId)) this.spoke.push(participantId);
    });
    this.client = client;
    await client.call();
  },

  async listen() {
    const context = new AudioContext({ sampleRate: listen_hz });
    const analysers = farTracks().map((track) => {
      const analyser = new AnalyserNode(context, { fftSize: listen_samples });
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      return analyser;
    });
    // Tells when the context's own clock has come so far.
    const clock = new ConstantSourceNode(context, { offset: 0 });
    clock.connect(context.destination);
    clock.start();
    clock.stop(context.currentTime + listen_samples / listen_hz);
    await new Promise((resolve) => (clock.onended = resolve));
    const heard = analysers.map((analyser) => {
      const samples = new Float32Array(listen_samples);
      analyser.getFloatTimeDomainData(samples);
      return asBase64(samples);
    });
    await context.close();
    return heard;
  },

  iceNames: () =>
    openPeers().map((peer) => /a=ice-ufrag:(.+)/.exec(peer.localDescription?.sdp ?? '')?.[1]?.trim() ?? ''),

  async codecs() {
    const names = (await stats()).flatMap((all) =>
      all
        .filter(({ type }) => type === 'inbound-rtp' || type === 'outbound-rtp')
        .map(({ codecId }) => all.find(({ id }) => id === codecId)?.['mimeType']),
    );
    return [...new Set(names.filter((name) => name !== undefined))];
  },

  async paths() {
    return (await stats()).flatMap((all) => {
      const chosen = all.find(({ type }) => type === 'transport')?.['selectedCandidatePairId'];
      const pair = all.find(({ id }) => id === chosen);
      const local = all.find(({ id }) => id === pair?.['localCandidateId']);
      if (local === undefined) return [];
      return [{ local: local['candidateType'] ?? '', relayProtocol: local['relayProtocol'] ?? '' }];
    });
  },
};
