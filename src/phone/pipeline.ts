/** From INVITE to call: one literal list of steps, each of which goes on or says why not. */
import { ending, reasonHeader, type Ending } from '../base/ending.ts';
import { TrunklineError, messageOf } from '../base/errors.ts';
import { isReached, type LimitReached, type Place, type TenantGate } from '../room/tenant-gate.ts';
import type { NumberConfig, TrunkConfig } from './settings.ts';
import type { Codec } from '../media/frame.ts';
import { chooseCodec } from '../media/offer-answer.ts';
import { RETRY_AFTER_S, SUPPORTED_EXTENSIONS, tokensOf } from './capabilities.ts';
import type { DigestGuard } from './digest.ts';
import { challengeHeaders, identify } from './identity.ts';
import type { Routes } from './routing.ts';
import type { SipRequest } from './sip-request.ts';
import { uriOf, userOf } from './sip-uri.ts';
import type { TokenBucket } from '../base/token-bucket.ts';
import type { Trunks } from './trunks.ts';

/** What the steps look things up in. */
export interface Screen {
  readonly trunks: Trunks;
  readonly guard: DigestGuard;
  readonly routes: Routes;
  readonly pace: TokenBucket;
  readonly callsMax: number;
  /** What our descriptions name; empty when only the media thread knows. */
  readonly mediaAddress: string;
  /** Open calls, and those of one trunk. */
  openCalls(trunkName?: string): number;
  isDraining(): boolean;
  /** A call with this Call-ID, From tag and CSeq is being set up already. */
  isKnown(request: SipRequest): boolean;
}

/** What the steps have found out; complete when all have passed. */
export interface Attempt {
  trunk?: TrunkConfig;
  number?: NumberConfig;
  /** The codec to begin with; a late offer may settle another one. */
  codec?: Codec;
}

/** A call that passed. */
export type Admitted = Required<Attempt>;

/** A call that may begin. */
export interface Seated extends Admitted {
  readonly place: Place;
}

export interface Refusal {
  readonly step: string;
  /** Undefined: no refusal, the caller is asked for credentials. */
  readonly ending?: Ending;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A known scanner: not worth a line in the log. */
  readonly quiet: boolean;
}

type Verdict = 'go-on' | Omit<Refusal, 'step'>;
type Step = (request: SipRequest, attempt: Attempt, screen: Screen) => Verdict;

const STEPS: readonly (readonly [name: string, step: Step])[] = [
  ['understand', understand],
  ['identify trunk', identifyTrunk],
  ['accept calls', acceptCalls],
  ['count hops', countHops],
  ['detect loops', detectLoops],
  ['know extensions', knowExtensions],
  ['route', route],
  ['negotiate', negotiate],
  ['keep the pace', keepPace],
  ['have room', haveRoom],
];

/** Walks an INVITE through all steps. Never throws. */
export function screenInvite(request: SipRequest, screen: Screen): Admitted | Refusal {
  const attempt: Attempt = {};
  for (const [name, step] of STEPS) {
    const verdict = step(request, attempt, screen);
    if (verdict !== 'go-on') return { step: name, ...verdict };
  }
  const { trunk, number, codec } = attempt;
  if (trunk === undefined || number === undefined || codec === undefined)
    return { step: 'end', ...refuse(ending('internal-error', 'a step is missing')) };
  return { trunk, number, codec };
}

export function isRefusal(outcome: Admitted | Place | Refusal): outcome is Refusal {
  return 'step' in outcome;
}

/** A refusal with the headers that belong to its ending. */
function refuse(end: Ending, headers: Record<string, string> = {}): Omit<Refusal, 'step'> {
  return { ending: end, status: end.sipStatus, headers: { ...finalHeaders(end), ...headers }, quiet: false };
}

/** Headers of the final response that an ending is told by. */
export function finalHeaders(end: Ending): Record<string, string> {
  return {
    Reason: reasonHeader(end),
    ...(end.sipStatus === 503 ? { 'Retry-After': String(RETRY_AFTER_S) } : {}),
  };
}

function understand(request: SipRequest): Verdict {
  const missing = ['Call-ID', 'CSeq', 'From', 'To', 'Contact'].find((name) => !request.header(name));
  if (missing !== undefined) return refuse(ending('bad-request', `${missing} is missing`));
  if (request.fromTag === undefined) return refuse(ending('bad-request', 'From has no tag'));
  if (!/^\s*(\S+\s*)?<?\s*sips?:|^\s*".*<\s*sips?:/i.test(request.header('Contact') ?? ''))
    return refuse(ending('bad-request', 'Contact is no SIP URI'));
  return 'go-on';
}

function identifyTrunk(request: SipRequest, attempt: Attempt, screen: Screen): Verdict {
  const identity = identify(request, screen.trunks, screen.guard);
  switch (identity.outcome) {
    case 'trunk':
      attempt.trunk = identity.trunk;
      return 'go-on';
    case 'challenge':
      return { status: 401, headers: challengeHeaders(identity.challenges), quiet: true };
    case 'unknown':
      return { ...refuse(ending('unknown-trunk', identity.detail)), quiet: identity.scanner };
    case 'refused':
      return refuse(ending('bad-credentials', identity.detail));
  }
}

function acceptCalls(_request: SipRequest, _attempt: Attempt, screen: Screen): Verdict {
  return screen.isDraining() ? refuse(ending('shutting-down')) : 'go-on';
}

function countHops(request: SipRequest): Verdict {
  const hops = request.header('Max-Forwards');
  if (hops === undefined) return 'go-on';
  if (!/^\s*\d{1,3}\s*$/.test(hops)) return refuse(ending('bad-request', 'Max-Forwards is no number'));
  return Number(hops) === 0 ? refuse(ending('too-many-hops')) : 'go-on';
}

function detectLoops(request: SipRequest, _attempt: Attempt, screen: Screen): Verdict {
  return screen.isKnown(request) ? refuse(ending('loop', 'it came by two ways')) : 'go-on';
}

function knowExtensions(request: SipRequest): Verdict {
  const unknown = tokensOf(request.header('Require')).filter((tag) => !SUPPORTED_EXTENSIONS.includes(tag));
  if (unknown.length === 0) return 'go-on';
  const tags = unknown.join(', ');
  return refuse(ending('unsupported-extension', tags), { Unsupported: tags });
}

function route(request: SipRequest, attempt: Attempt, screen: Screen): Verdict {
  const to = request.header('To') ?? '';
  const number = screen.routes.find({ requestUri: request.uri, to });
  if (number === undefined) {
    const dialed = [userOf(request.uri), userOf(uriOf(to))].map((user) => `"${user}"`).join(' nor ');
    return refuse(ending('unknown-number', `numbers lists neither ${dialed}`));
  }
  // A trunk reaches the numbers of its own tenant only; to others they do not exist.
  const tenant = attempt.trunk?.tenant ?? 'nobody';
  if (number.tenant !== tenant)
    return refuse(
      ending('unknown-number', `${number.number} belongs to tenant ${number.tenant}, the trunk to ${tenant}`),
    );
  attempt.number = number;
  return 'go-on';
}

function negotiate(request: SipRequest, attempt: Attempt, screen: Screen): Verdict {
  const allowed = attempt.trunk?.codecs ?? [];
  const sdp = request.sdp;
  if (sdp.trim() === '') {
    // No offer in the INVITE: ours goes out with the 200, the answer comes with the ACK (RFC 3264 §4).
    const [first] = allowed;
    if (first !== undefined) attempt.codec = first;
    return 'go-on';
  }
  const type = request.contentType;
  if (type !== '' && type !== 'application/sdp' && !type.startsWith('multipart/'))
    return refuse(ending('bad-sdp', `Content-Type ${type}`), { Accept: 'application/sdp' });
  try {
    attempt.codec = chooseCodec(sdp, allowed, screen.mediaAddress);
    return 'go-on';
  } catch (error) {
    return refuseOffer(error);
  }
}

/** What to say to an offer that cannot be taken, first or later. */
export function refuseOffer(error: unknown): Omit<Refusal, 'step'> {
  if (!(error instanceof TrunklineError)) return refuse(ending('internal-error', messageOf(error)));
  const detail = `${error.code}: ${error.detail}`;
  if (error.code === 'SDP_UNPARSABLE') return refuse(ending('bad-sdp', detail));
  // RFC 3261 §20.43: 305 says that the formats do not fit.
  return refuse(ending('no-common-codec', detail), {
    Warning: '305 trunkline "Incompatible media format"',
  });
}

function keepPace(_request: SipRequest, _attempt: Attempt, screen: Screen): Verdict {
  return screen.pace.take() ? 'go-on' : refuse(ending('no-capacity', 'calls.per_second_max is reached'));
}

function haveRoom(_request: SipRequest, attempt: Attempt, screen: Screen): Verdict {
  const { trunk } = attempt;
  if (screen.openCalls() >= screen.callsMax)
    return refuse(ending('no-capacity', `calls.max (${screen.callsMax}) is reached`));
  if (trunk !== undefined && screen.openCalls(trunk.name) >= trunk.calls_max)
    return refuse(ending('no-capacity', `calls_max (${trunk.calls_max}) of trunk ${trunk.name} is reached`));
  return 'go-on';
}

/**
 * The last step, because it counts, and asks whoever counts for all gateways: only a call that passed all
 * others has begun. Never rejects, and takes at most 25 ms.
 */
export async function spareOtherTenants(
  { number }: Admitted,
  gate: TenantGate,
  screen: Pick<Screen, 'isDraining'>,
): Promise<Place | Refusal> {
  const outcome = await gate.enter({ tenant: number.tenant, kind: 'call' });
  if (isReached(outcome)) return { step: 'spare other tenants', ...refuseFor(outcome) };
  if (!screen.isDraining()) return outcome;
  // The stop came while the tenant's place was asked for.
  outcome.leave();
  return { step: 'accept calls', ...refuse(ending('shutting-down')) };
}

/** RFC 3261 §20.33: with 480, when the called party can be reached again; with 503, when to try again. */
function refuseFor(reached: LimitReached): Omit<Refusal, 'step'> {
  return refuse(endingOfLimit(reached), { 'Retry-After': String(reached.retryAfterS) });
}

/** Also of a call in progress whose tenant ends them with its minutes. */
export function endingOfLimit({ code, detail }: LimitReached): Ending {
  return ending(code === 'TENANT_MINUTES_SPENT' ? 'minutes-spent' : 'no-capacity', `${code}: ${detail}`);
}
