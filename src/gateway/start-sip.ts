/** The SIP server's side of the gateway. */
import { readFile } from 'node:fs/promises';
import { startSipServer, type SipServer } from '../../sip/server/server.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Settings } from '../config.ts';
import type { ClosingOrder } from './closing-order.ts';

/** The embedded SIP server, or none when a drachtio-server is configured. */
export async function startSip(
  settings: Settings,
  log: Log,
  order: ClosingOrder,
): Promise<SipServer | undefined> {
  const { sip } = settings.config;
  if (sip.drachtio.host !== '') return undefined;
  const keys = sip.tls && {
    key: await readFile(sip.tls.key_file, 'utf8'),
    cert: await readFile(sip.tls.cert_file, 'utf8'),
  };
  const server = await startSipServer({
    contacts: sip.listen.map((listener) => ({
      ...listener,
      ...(sip.external_address === '' ? {} : { externalAddress: sip.external_address }),
      ...(listener.transport === 'tls' && keys ? { tls: keys } : {}),
    })),
    admin: { host: '127.0.0.1', port: 0, secret: newId('admin') },
    log,
  });
  return order.add('SIP server', server);
}
