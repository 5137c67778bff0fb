import { endpointUrl } from '../voice-socket/open-socket.ts';

/** `https://host/v1` -> `wss://host/v1/realtime?model=…`. @throws as `endpointUrl` */
export function realtimeUrl(baseUrl: string, model: string): URL {
  const url = endpointUrl(baseUrl, 'realtime');
  url.searchParams.set('model', model);
  return url;
}
