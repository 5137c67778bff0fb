import { describe, expect, it } from 'vitest';
import { ConnectError } from '../../../../src/agent/models/connect-error.ts';
import { endpointUrl } from '../../../../src/agent/models/voice-socket/open-socket.ts';

describe('the address', () => {
  it('has no query', () => {
    expect(endpointUrl('https://api.openai.com/v1', 'live/sessions').href).toBe(
      'wss://api.openai.com/v1/live/sessions',
    );
    expect(endpointUrl('http://127.0.0.1:9/v1/', 'live/sessions').href).toBe(
      'ws://127.0.0.1:9/v1/live/sessions',
    );
  });

  it.each(['', 'api.openai.com/v1', 'ftp://host/v1'])('"%s" is none', (baseUrl) => {
    expect(() => endpointUrl(baseUrl, 'realtime')).toThrow(ConnectError);
  });
});
