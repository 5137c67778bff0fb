/**
 * The gateways that share a store, for operators: who is there, and who will never come back. One that is
 * declared gone has its calls ended as its own next start would: docs/decisions/dead-gateways.md.
 */
import { TrunklineError } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Enqueue } from '../jobs/enqueue.ts';
import { tellOver } from '../jobs/gateway-runs.ts';
import { SYSTEM_TENANT, type Store } from '../store/store.ts';
import { heardRuns, openRuns, type OpenRun } from '../store/tables/gateway-runs.ts';
import type { GatewayDesk, KnownGateway } from '../web/operator-gateways.ts';

/** A gateway that lives says so six times in it. */
const silent_for_ms = 60_000;

export interface GatewaysParts {
  readonly store: Pick<Store, 'tenant'>;
  readonly enqueue: Enqueue;
  /** This gateway. */
  readonly gateway: string;
  /** Whose calls other gateways may have, too: those of a version that does not tell of itself. */
  readonly tenants: readonly string[];
}

/** One life of a gateway, from what it tells of itself and from its open calls, of whichever tenants. */
interface Life {
  readonly gateway: string;
  readonly run: string;
  readonly tenants: readonly string[];
  readonly overAt: Date | null;
  readonly heardAt: Date;
  readonly heardAgoMs: number;
  readonly openCalls: number;
}

export function gatewayDesk(parts: GatewaysParts): GatewayDesk {
  return {
    list: async () => {
      const byGateway = Map.groupBy(await livesOf(parts), (life) => life.gateway);
      return [...byGateway.values()].map((lives) => shown(lives, parts.gateway));
    },
    declareGone: async (gateway, { evenIfHeard }) => {
      if (gateway === parts.gateway)
        throw new TrunklineError('GATEWAY_IS_THIS', `${gateway} answers this request`);
      const lives = (await livesOf(parts)).filter((life) => life.gateway === gateway);
      if (lives.length === 0) throw new TrunklineError('GATEWAY_UNKNOWN', `nobody heard of ${gateway}`);
      const known = shown(lives, parts.gateway);
      const agoMs = Math.min(...lives.map((life) => life.heardAgoMs));
      if (agoMs < silent_for_ms && !evenIfHeard) {
        const detail = `${gateway} was heard of ${Math.round(agoMs / 1000)} s ago, and should be silent for`;
        throw new TrunklineError('GATEWAY_HEARD', `${detail} ${silent_for_ms / 1000} s`);
      }
      await record(parts.enqueue, gateway, evenIfHeard);
      for (const life of lives)
        if (isLeft(life)) await tellOver(parts.enqueue, { ...life, tenants: told(life) });
      return known;
    },
  };
}

/** Newest word first. One unit of work for each tenant: none sees more. */
async function livesOf({ store, tenants: ours }: GatewaysParts): Promise<Life[]> {
  const lives = new Map<string, Life>();
  for (const heard of await store.tenant(SYSTEM_TENANT, heardRuns))
    lives.set(nameOf(heard), { ...heard, openCalls: 0 });
  const tenants = new Set([...ours, ...[...lives.values()].flatMap((life) => life.tenants)]);
  for (const tenant of tenants)
    for (const open of await store.tenant(tenant, openRuns)) {
      const name = nameOf(open);
      const life = lives.get(name) ?? { ...open, tenants: [], openCalls: 0, overAt: null };
      lives.set(name, withCalls(life, tenant, open));
    }
  return [...lives.values()].sort((a, b) => b.heardAt.getTime() - a.heardAt.getTime());
}

const nameOf = ({ gateway, run }: Pick<Life, 'gateway' | 'run'>): string => JSON.stringify([gateway, run]);

function withCalls(life: Life, tenant: string, { openCalls, heardAt, heardAgoMs }: OpenRun): Life {
  const latest = heardAt > life.heardAt ? { heardAt, heardAgoMs } : {};
  return {
    ...{ ...life, ...latest, tenants: [...life.tenants, tenant] },
    openCalls: life.openCalls + openCalls,
  };
}

/** Something may be left to end. */
const isLeft = ({ overAt, openCalls }: Life): boolean => overAt === null || openCalls > 0;

/** The system's tenant is told, too: there operators see it. */
const told = ({ tenants }: Life): string[] => [...new Set([...tenants, SYSTEM_TENANT])];

/** `lives` of one gateway, newest first. */
function shown(lives: readonly Life[], own: string): KnownGateway {
  const [latest] = lives;
  if (latest === undefined) throw new Error('a gateway without a life');
  const { gateway, run, heardAt, overAt } = latest;
  return {
    ...{ gateway, run, heardAt: heardAt.toISOString(), overAt: overAt?.toISOString() ?? null },
    openCalls: lives.reduce((sum, life) => sum + life.openCalls, 0),
    isThis: gateway === own,
  };
}

function record(enqueue: Enqueue, target: string, evenIfHeard: boolean): Promise<void> {
  const at = new Date().toISOString();
  const data = { at, actor: 'operator', action: 'gateway.gone', target, detail: { evenIfHeard } };
  return enqueue.enqueue('audit', { tenant: SYSTEM_TENANT, key: newId('audit'), data });
}
