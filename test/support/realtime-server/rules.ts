/**
 * What every Realtime server does, whatever it says: session settings, conversation items, coded refusals.
 */
import { newId } from '../../../src/base/ids.ts';
import type { ClientEvent, ClientEventOf } from './client-schema.ts';
import type { Connection } from './connection.ts';

export function keepRules(event: ClientEvent, connection: Connection): void {
  switch (event.type) {
    case 'session.update':
      connection.update(event.session);
      return;
    case 'conversation.item.create':
      connection.addItem({ ...event.item, id: event.item.id ?? newId('item') });
      return;
    case 'conversation.item.truncate':
      truncate(event, connection);
      return;
    case 'conversation.item.delete':
      if (connection.items.delete(event.item_id))
        connection.send({ type: 'conversation.item.deleted', item_id: event.item_id });
      else unknownItem(event, connection);
      return;
    case 'conversation.item.retrieve': {
      const item = connection.items.get(event.item_id);
      if (item === undefined) unknownItem(event, connection);
      else connection.send({ type: 'conversation.item.retrieved', item });
      return;
    }
    case 'input_audio_buffer.clear':
      connection.send({ type: 'input_audio_buffer.cleared' });
      return;
    case 'input_audio_buffer.append':
    case 'input_audio_buffer.commit':
    case 'response.create':
    case 'response.cancel':
      return;
  }
}

function truncate(event: ClientEventOf<'conversation.item.truncate'>, connection: Connection): void {
  const item = connection.items.get(event.item_id);
  if (item === undefined) {
    unknownItem(event, connection);
    return;
  }
  if (item.type !== 'message' || item.role !== 'assistant') {
    connection.error('invalid_value', 'Only what the assistant said can be truncated.', event.event_id);
    return;
  }
  const spokenMs = connection.spokenMs.get(event.item_id) ?? 0;
  if (event.audio_end_ms > spokenMs) {
    const sentence = `audio_end_ms ${event.audio_end_ms} is behind the end of the sound, ${spokenMs} ms.`;
    connection.error('invalid_value', sentence, event.event_id);
    return;
  }
  connection.send({
    type: 'conversation.item.truncated',
    item_id: event.item_id,
    content_index: event.content_index,
    audio_end_ms: event.audio_end_ms,
  });
}

function unknownItem(event: { item_id: string; event_id?: string }, connection: Connection): void {
  connection.error('item_not_found', `There is no item ${event.item_id}.`, event.event_id);
}
