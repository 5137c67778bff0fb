/** Visits whose tenant has limits: who is refused is told a code, and the operator which limit it was. */
import { afterEach, describe, expect, it } from 'vitest';
import { Events } from '../../../src/base/events.ts';
import type { TenantLimitSettings } from '../../../src/limits/settings.ts';
import { TenantLimits } from '../../../src/limits/tenant-limits.ts';
import { FREE_PLACE, type LimitReached, type Place } from '../../../src/room/tenant-gate.ts';
import type { Guest, GuestEvents } from '../../../src/web/guest.ts';
import { Visit } from '../../../src/web/visit.ts';
import { limitsOf } from '../../support/limits/settings.ts';
import { silentLog } from '../../support/sfu.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { until } from '../../support/until.ts';
import { DoorStage, ToneAgent, WIDGET_KEY } from '../../support/web/door-stage.ts';

const entry = { widgetKey: WIDGET_KEY, profile: 'clinic' };
let stage: DoorStage | undefined;

afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

async function open(limits: Partial<TenantLimitSettings>): Promise<DoorStage> {
  const tenants = [limitsOf({ tenant: 'clinic', ...limits })];
  const tenantGate = new TenantLimits({ tenants, redis: undefined, prefix: 'test' });
  return (stage = await DoorStage.open({ tenantGate }));
}

/** Joins as a visitor; what the gateway answers. */
async function join(on: DoorStage): Promise<Record<string, unknown>> {
  return (await on.browser()).send('join', entry);
}

describe('the visits of a tenant', () => {
  it('are let in up to its limit at a time, and again when one is over', async () => {
    const on = await open({ visits_max: 1 });
    const first = await on.browser();
    await first.ask('join', entry);
    const refused = await join(on);
    expect(refused).toMatchObject({ ok: false, code: 'TENANT_VISITS_FULL' });
    // What the site may have is nobody's business but its own.
    expect(refused['message']).not.toMatch(/clinic|visits_max|\d/);
    expect(on.door.refusals.get('TENANT_VISITS_FULL')).toBe(1);
    expect(on.door.census().visits).toBe(1);
    await first.ask('leave', {});
    await until('the visit is over', () => on.door.census().visits === 0);
    expect(await join(on)).toMatchObject({ ok: true });
  });

  it('are let in up to its limit of a minute', async () => {
    const on = await open({ visits_per_minute_max: 2 });
    expect(await join(on)).toMatchObject({ ok: true });
    expect(await join(on)).toMatchObject({ ok: true });
    expect(await join(on)).toMatchObject({ ok: false, code: 'TENANT_VISITS_TOO_FAST' });
  });

  it('do not count against those of others, nor those who join a call that is there', async () => {
    const on = await open({ visits_max: 1 });
    const first = await on.browser();
    const { roomId } = await first.ask('join', entry);
    const helper = await on.browser({ origin: null });
    const token = await on.token({ room: roomId, role: 'human' });
    expect(await helper.send('join', { token })).toMatchObject({ ok: true });
  });

  it('leave no place behind when the gateway itself is full meanwhile', async () => {
    let left = 0;
    const { promise, resolve } = Promise.withResolvers<Place>();
    const answers = [promise, Promise.resolve(FREE_PLACE)];
    const tenantGate = { enter: () => answers.shift() ?? Promise.resolve(FREE_PLACE) };
    const on = (stage = await DoorStage.open({ web: { limits: { visits_max: 1 } }, tenantGate }));
    const slow = join(on);
    await until('the slow one is asked for', () => answers.length === 1);
    expect(await join(on)).toMatchObject({ ok: true });
    resolve({ ...FREE_PLACE, leave: () => (left += 1) });
    expect(await slow).toMatchObject({ ok: false, code: 'WEB_FULL' });
    expect(left).toBe(1);
  });
});

describe('a visit', () => {
  it('tells when minutes begin, and ends with them when its tenant wants it', async () => {
    const on = (stage = await DoorStage.open());
    const told: string[] = [];
    let spend: (reached: LimitReached) => void = () => undefined;
    const place: Place = {
      answered: () => told.push('answered'),
      leave: () => told.push('left'),
      onSpent: (listener) => (spend = listener),
    };
    const agents: ToneAgent[] = [];
    const visit = new Visit({ tenant: 'clinic', profile: 'clinic', from: 'here' }, place, {
      ...{ threads: on.rooms.threads, rooms: on.rooms.rooms, journal: on.journal, log: silentLog },
      ...{ clock: systemClock, durationMaxMs: 600_000 },
      deskSide: { calls: on.desk.calls, desk: on.desk.queue },
      openAgent: (opening) => {
        const agent = new ToneAgent(opening);
        agents.push(agent);
        return agent;
      },
    });
    await visit.open();
    const events = new Events<GuestEvents>();
    visit.welcome({ events, end: () => undefined } as unknown as Guest);
    expect(told).toEqual([]);
    const hears = { participantId: agents[0]?.portId ?? '' };
    events.emit('hears', hears);
    events.emit('hears', hears);
    expect(told).toEqual(['answered']);
    spend({
      ...{ code: 'TENANT_MINUTES_SPENT', limit: 'minutes_per_day_max', retryAfterS: 60 },
      detail: 'minutes_per_day_max (1) of tenant clinic is reached',
    });
    await visit.ended;
    expect(told).toEqual(['answered', 'left']);
    expect(on.journal.get(visit.visitId)?.ending).toMatchObject({ slug: 'minutes-spent' });
  });
});
