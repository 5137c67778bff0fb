/** What agents can do besides speaking: built-in tools with their records, HTTP tools, MCP servers. */
import { join } from 'node:path';
import { ActRecords } from '../agent/tools/act-records.ts';
import { FileAppointmentBook } from '../agent/tools/appointment-book.ts';
import { bookAppointment } from '../agent/tools/book-appointment.ts';
import { collectDigits } from '../agent/tools/collect-digits.ts';
import { findSlots } from '../agent/tools/find-slots.ts';
import { GuardedHttp } from '../agent/tools/http/guarded-http.ts';
import { httpTool } from '../agent/tools/http/http-tool.ts';
import { McpServers } from '../agent/tools/mcp/mcp-servers.ts';
import { contactFields, saveContact } from '../agent/tools/save-contact.ts';
import { sendSms, smsFields } from '../agent/tools/send-sms.ts';
import { messageFields, takeMessage } from '../agent/tools/take-message.ts';
import type { Tool } from '../agent/tools/tool.ts';
import { ToolRegistry } from '../agent/tools/tool-registry.ts';
import { transferToNumber } from '../agent/tools/transfer-to-number.ts';
import { TrunklineError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Settings } from '../config.ts';
import type { ClosingOrder } from './closing-order.ts';
import { importAppointments } from './import-appointments.ts';
import { appointmentsOf, keptActs, type Acts } from './kept-acts.ts';
import type { Jobs } from './start-jobs.ts';

/** What tools wrote down, for operators, by its name. What else the store has is asked of the API. */
export type ToolRecords = Readonly<Record<string, () => readonly unknown[] | Promise<readonly unknown[]>>>;

export interface Tools {
  readonly registry: ToolRegistry;
  readonly records: ToolRecords;
  readonly mcp: McpServers;
}

/** @throws TrunklineError CONFIG_INVALID when two tools have one name; Error when a record file is broken */
export async function startTools(parts: {
  readonly settings: Settings;
  readonly jobs: Jobs | undefined;
  readonly log: Log;
  readonly order: ClosingOrder;
}): Promise<Tools> {
  const { settings, jobs, log, order } = parts;
  const { tools: limits } = settings.config;
  const { acts, records } =
    jobs === undefined ? await actsInFiles(settings, order) : actsInStore(settings, jobs);
  if (jobs !== undefined) importAppointments({ settings, ...jobs, log, order });
  const registry = new ToolRegistry({
    tools: [
      bookAppointment(acts.bookOf),
      findSlots(acts.bookOf),
      saveContact(acts.contacts),
      takeMessage(acts.messages),
      sendSms(acts.sms),
      collectDigits(),
      transferToNumber(),
    ],
    limits: { underWayMax: limits.under_way_max, resultCharsMax: limits.result_chars_max },
  });
  const http = order.add('tools over HTTP', new GuardedHttp({ networks: limits.networks }));
  for (const declaration of limits.http) addTool(registry, httpTool(declaration, { http }));
  const mcp = await McpServers.start(limits.mcp, {
    offer: (source, tools) => registry.offer(source, tools),
    patienceMs: limits.mcp_patience_ms,
    ...{ http, log },
  });
  order.add('MCP servers', mcp);
  return { registry, mcp, records };
}

interface Kept {
  readonly acts: Acts;
  readonly records: ToolRecords;
}

function actsInStore({ config }: Settings, { store, enqueue, traceparentOf }: Jobs): Kept {
  const tenants = config.numbers.map((one) => one.tenant);
  return {
    acts: keptActs({ store, enqueue, traceparentOf }),
    records: { appointments: () => appointmentsOf(store, tenants) },
  };
}

/** Without a store: one file of lines for each kind. Nothing is sent from there. */
async function actsInFiles({ dataDir }: Settings, order: ClosingOrder): Promise<Kept> {
  const file = (name: string): string => join(dataDir, `${name}.jsonl`);
  const book = order.add('appointments', await FileAppointmentBook.create({ path: file('appointments') }));
  const contacts = order.add(
    'contacts',
    await ActRecords.create({ path: file('contacts'), kind: 'contact', fields: contactFields }),
  );
  const messages = order.add(
    'messages',
    await ActRecords.create({ path: file('messages'), kind: 'message', fields: messageFields }),
  );
  const sms = order.add(
    'sms',
    await ActRecords.create({ path: file('sms'), kind: 'sms', fields: smsFields }),
  );
  return {
    acts: {
      bookOf: () => book,
      contacts: { save: (contact, origin) => contacts.keep(contact, origin) },
      messages: { take: (message, origin) => messages.keep(message, origin) },
      sms: { send: (one, origin) => sms.keep(one, origin) },
    },
    records: {
      appointments: () => book.appointments,
      contacts: () => contacts.records,
      messages: () => messages.records,
      sms: () => sms.records,
    },
  };
}

function addTool(registry: ToolRegistry, tool: Tool): void {
  if (registry.has(tool.name))
    throw new TrunklineError(
      'CONFIG_INVALID',
      `tools.http: "${tool.name}" is the name of a tool that exists`,
    );
  registry.add(tool);
}
