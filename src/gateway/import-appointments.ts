/**
 * Appointments of an older gateway, or of one without a store: once, from its file into the store, and from
 * there to the tenant's other calendar. The file stays, under another name.
 */
import { stat, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { readAppointments, type AppointmentLine } from '../agent/tools/appointment-book.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Settings } from '../config.ts';
import type { Enqueue } from '../jobs/enqueue.ts';
import type { Store } from '../store/store.ts';
import { bookSlot, type StoredAppointment } from '../store/tables/appointments.ts';
import type { ClosingOrder } from './closing-order.ts';
import { keepTrying } from './keep-trying.ts';
import { CALENDAR } from './kept-acts.ts';

interface ImportParts {
  readonly settings: Settings;
  readonly store: Store;
  readonly enqueue: Enqueue;
  readonly log: Log;
  readonly order: ClosingOrder;
}

/** Begins it, and does not wait: the database may be on its way. */
export function importAppointments(parts: ImportParts): void {
  keepTrying('import of appointments', () => bringOver(parts), parts);
}

async function bringOver({ settings, store, enqueue, log }: ImportParts): Promise<void> {
  const path = join(settings.dataDir, 'appointments.jsonl');
  if (!(await exists(path))) return;
  const [owner, other] = new Set(settings.config.numbers.map((one) => one.tenant));
  // The file does not say whose they are, and one tenant must never see those of another.
  if (owner === undefined || other !== undefined) {
    log.warn({ path }, 'appointments are not imported: they could be of several tenants');
    return;
  }
  let lines: readonly AppointmentLine[];
  try {
    lines = await readAppointments(path);
  } catch (error) {
    // Trying again would not help; the file stays for somebody to mend it.
    log.error({ path, detail: messageOf(error) }, 'appointments are not imported: mend the file');
    return;
  }
  await store.ensureTenants([owner]);
  const timeZone = timeZoneOf(settings, owner);
  let leftOut = 0;
  const to = { store, enqueue, tenant: owner, timeZone, log };
  for (const line of lines) if (!(await bring(line, to))) leftOut += 1;
  await rename(path, await freeName(`${path}.imported`));
  log.info({ imported: lines.length - leftOut, leftOut }, 'appointments were imported');
}

/** False when the store has another booking in its place. */
async function bring(
  line: AppointmentLine,
  to: Pick<ImportParts, 'store' | 'enqueue' | 'log'> & { tenant: string; timeZone: string },
): Promise<boolean> {
  const { confirmation, callId, name, day, time, bookedAt } = line;
  const slot = { calendar: CALENDAR, callId, name, day, time, confirmation, timeZone: to.timeZone };
  const attemptId = `import/${confirmation}`;
  const rest = { attemptId, bookedAt: new Date(bookedAt) };
  let row: StoredAppointment | undefined;
  try {
    row = await to.store.tenant(to.tenant, (unit) => bookSlot(unit, { ...slot, ...rest }));
  } catch (error) {
    if (!messageOf(error).includes('one_live_confirmation')) throw error;
  }
  if (row !== undefined) {
    const data = { type: 'sync' as const, appointmentId: row.appointment_id };
    const key = `${row.appointment_id}/${attemptId}`;
    await to.enqueue.enqueue('calendar', { tenant: to.tenant, key, data });
    return true;
  }
  to.log.warn({ confirmation, day, time }, 'an appointment is not imported: its place is taken');
  return false;
}

/** Of whoever answers for the tenant: the clock that its callers were told. */
function timeZoneOf({ config, profiles }: Settings, tenant: string): string {
  const names = config.numbers.filter((one) => one.tenant === tenant).map((one) => one.profile);
  return names.map((name) => profiles.get(name)?.time_zone).find((zone) => zone !== undefined) ?? 'UTC';
}

async function freeName(wanted: string): Promise<string> {
  let name = wanted;
  for (let nth = 2; await exists(name); nth += 1) name = `${wanted}-${nth}`;
  return name;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
