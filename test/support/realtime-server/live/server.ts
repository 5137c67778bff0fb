/** The rules of the Live protocol, whatever the server says: start first, start once, coded refusals. */
import { liveClientEventSchema, type LiveClientEvent } from './client-schema.ts';
import type { LiveConnection } from './connection.ts';

/** What a server says on one Live connection. Made anew for each. */
export interface LiveBehaviour {
  /** After the rules were kept; `session.start` comes when `session.started` was said. */
  event?(event: LiveClientEvent): void;
  /** true: the rules answer nothing; the behaviour says every word itself. */
  readonly silent?: boolean;
  closed?(): void;
}

export function serveLive(connection: LiveConnection, behaviour: LiveBehaviour): void {
  const { socket } = connection;
  socket.on('error', () => socket.terminate());
  socket.on('close', () => behaviour.closed?.());
  socket.on('message', (data) => {
    if (!Buffer.isBuffer(data)) return;
    const event = parse(data.toString('utf8'), connection);
    if (event === undefined) return;
    if (behaviour.silent !== true && !keepLiveRules(event, connection)) return;
    connection.take(event);
    behaviour.event?.(event);
  });
}

/** false: refused. */
function keepLiveRules(event: LiveClientEvent, connection: LiveConnection): boolean {
  const started = connection.session !== null;
  if (event.type === 'session.start') {
    if (started) connection.error('session_already_started', 'The session has started.', event.event_id);
    else connection.start(event.session, event.event_id);
    return !started;
  }
  if (!started) {
    connection.error('session_not_started', 'Send session.start first.', event.event_id);
    return false;
  }
  const responses = connection.session?.delegation?.type === 'responses';
  if ((event.type === 'response.item.create' || event.type === 'response.create') && !responses) {
    connection.error('invalid_value', `${event.type} requires Responses delegation.`, event.event_id);
    return false;
  }
  if ('delegation_id' in event && event.delegation_id !== null && responses) {
    connection.error('invalid_value', 'delegation_id must be null with Responses.', event.event_id);
    return false;
  }
  return true;
}

function parse(text: string, connection: LiveConnection): LiveClientEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    connection.refused.push('not JSON');
    connection.error('invalid_json', 'The message is not JSON.');
    return undefined;
  }
  const result = liveClientEventSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const sentence = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
  connection.refused.push(sentence);
  connection.error('invalid_event', sentence);
  return undefined;
}
