/**
 * Tokens that a tenant's server hands to its visitors and staff: JWTs signed by this gateway (HS256), which
 * live shortly. They say who may enter what, as which role, and what they may do there.
 */
import { randomBytes } from 'node:crypto';
import { SignJWT, jwtVerify } from 'jose';
import { z } from 'zod';
import { TrunklineError, messageOf } from '../base/errors.ts';
import { permissionsOf } from '../room/permissions.ts';
import { permission, role, type Permission, type Role } from './wire.ts';

const ISSUER = 'trunkline';
const ALGORITHM = 'HS256';

/**
 * What a holder is entitled to. Exactly one of `profile` (a room of its own), `roomId` (an open one) and
 * `desk` (the page of a human agent or supervisor).
 */
export interface Grant {
  readonly tenant: string;
  readonly role: Role;
  readonly permissions: readonly Permission[];
  readonly profile?: string;
  readonly roomId?: string;
  readonly desk?: true;
  /** Who it is, for colleagues and the call's record. */
  readonly name?: string;
  /** The handoff that its holder has accepted. */
  readonly handoffId?: string;
}

/** What identifies, not entitles. */
const name = z.string().min(1).max(64);

const claims = z
  .object({
    tenant: z.string().min(1).max(64),
    role,
    permissions: z.array(permission).max(permission.options.length),
    profile: z.string().min(1).max(128).optional(),
    roomId: z.string().min(1).max(128).optional(),
    desk: z.literal(true).optional(),
    name: name.optional(),
    handoffId: z.string().min(1).max(128).optional(),
  })
  .refine(
    ({ profile, roomId, desk }) => [profile, roomId, desk].filter((one) => one !== undefined).length === 1,
  );

export class Tokens {
  readonly #secret: Uint8Array;
  readonly #now: () => Date;

  /** `secret` empty: a random one, so that tokens end with the process. */
  constructor({ secret, now = () => new Date() }: { secret: string; now?: () => Date }) {
    this.#secret = secret === '' ? randomBytes(32) : new TextEncoder().encode(secret);
    this.#now = now;
  }

  mint(grant: Grant, ttlS: number): Promise<string> {
    const issuedS = Math.floor(this.#now().getTime() / 1000);
    return new SignJWT({ ...grant })
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ISSUER)
      .setAudience(ISSUER)
      .setIssuedAt(issuedS)
      .setExpirationTime(issuedS + ttlS)
      .sign(this.#secret);
  }

  /** @throws TrunklineError WEB_TOKEN_INVALID */
  async read(token: string): Promise<Grant> {
    try {
      const { payload } = await jwtVerify(token, this.#secret, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: ISSUER,
        requiredClaims: ['exp', 'iat'],
        currentDate: this.#now(),
      });
      const { tenant, role: asRole, permissions, ...rest } = claims.parse(payload);
      return { tenant, role: asRole, permissions: permissionsOf(asRole, permissions), ...given(rest) };
    } catch (error) {
      const detail = error instanceof z.ZodError ? 'its claims are not ours' : messageOf(error);
      throw new TrunklineError('WEB_TOKEN_INVALID', detail, { cause: error });
    }
  }
}

/** Without what is undefined: JSON knows no difference, but types do. */
function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
