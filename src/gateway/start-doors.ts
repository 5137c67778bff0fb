/** The two doors that people come in by; the agent is opened by them. */
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import { packageRoot, type Settings } from '../config.ts';
import type { MediaThreads } from '../media/threads.ts';
import { PhoneDoor, type PhoneDoorOptions } from '../phone/door.ts';
import type { OpenAgent } from '../room/agent-door.ts';
import type { Journal } from '../room/journal.ts';
import type { Rooms } from '../room/rooms.ts';
import type { TenantGate } from '../room/tenant-gate.ts';
import type { ApiParts } from '../web/api/ports.ts';
import type { BoardParts } from '../web/board/board.ts';
import { WebDoor } from '../web/web-door.ts';
import type { ClosingOrder } from './closing-order.ts';
import type { startDesk } from './start-desk.ts';

/** @throws TrunklineError SIP_SERVER_UNREACHABLE, WEB_PORT_IN_USE */
export async function startDoors(parts: {
  readonly settings: Settings;
  /** Of the SIP server. */
  readonly address: PhoneDoorOptions['server'];
  readonly desk: Awaited<ReturnType<typeof startDesk>>;
  readonly api: ApiParts | undefined;
  readonly board: BoardParts | undefined;
  readonly order: ClosingOrder;
  readonly threads: MediaThreads;
  readonly rooms: Rooms;
  readonly openAgent: OpenAgent;
  readonly tenantGate: TenantGate | undefined;
  readonly journal: Journal;
  readonly log: Log;
}): Promise<{ phone: PhoneDoor; web: WebDoor }> {
  const { settings, address, desk, api, board, order } = parts;
  const { threads, rooms, openAgent, tenantGate, journal, log } = parts;
  const { config, profiles } = settings;
  const shared = { threads, rooms, openAgent, tenantGate, journal, log };
  const phone = await PhoneDoor.start({
    server: address,
    trunks: config.trunks,
    numbers: config.numbers,
    calls: config.calls,
    sessionExpiresS: config.sip.session_expires_s,
    mediaAddress: config.media.external_address || config.media.address,
    deskSide: { calls: desk.calls, desk: desk.queue },
    ...shared,
  });
  order.add('phone door', phone);
  const web = await WebDoor.start({
    settings: config.web,
    profiles: new Set(profiles.keys()),
    durationMaxMs: config.calls.duration_max_ms,
    folder: join(packageRoot, 'widget', 'dist'),
    consoleFolder: join(packageRoot, 'console', 'dist'),
    ...{ desk, api, board, ...shared },
  });
  order.add('web door', web);
  return { phone, web };
}
