import { describe, expect, it } from 'vitest';
import { requestOf } from '../../support/phone-door/request.ts';

describe('SipRequest', () => {
  it('reads what routing and dialogs need', () => {
    const { request } = requestOf({
      headers: { To: '<sip:a@b>;tag=t', CSeq: '42 INVITE', 'Content-Type': ' Application/SDP ;x=y' },
      body: 'v=0',
    });
    expect([request.method, request.uri, request.callId]).toEqual([
      'INVITE',
      'sip:+15550100@gateway',
      'one@test',
    ]);
    expect([request.fromTag, request.toTag, request.sequence]).toEqual(['a', 't', 42]);
    expect([request.contentType, request.body, request.sdp]).toEqual(['application/sdp', 'v=0', 'v=0']);
    expect([request.sourceAddress, request.sourcePort, request.protocol]).toEqual(['127.0.0.1', 5080, 'udp']);
  });

  it('makes do without headers and body', () => {
    const names = ['Call-ID', 'CSeq', 'From', 'To', 'Contact'];
    const { request } = requestOf({ headers: Object.fromEntries(names.map((name) => [name, ''])) });
    expect([request.callId, request.fromTag, request.toTag, request.body, request.sdp]).toEqual([
      '',
      undefined,
      undefined,
      '',
      '',
    ]);
    expect(request.sequence).toBeNaN();
    expect(request.contentType).toBe('');
  });

  it('finds no description in a multipart body that has none', () => {
    const headers = { 'Content-Type': 'multipart/mixed;boundary=x' };
    expect(requestOf({ headers, body: 'x', payload: [{ type: null }] }).request.sdp).toBe('');
    expect(requestOf({ headers, body: 'x' }).request.sdp).toBe('');
  });

  it('sends one final response, whatever it is asked', () => {
    const { request, sent } = requestOf();
    request.respond(180);
    request.respond(486, { headers: { Reason: 'x' } });
    request.respond(200);
    expect(sent.map((one) => one.status)).toEqual([180, 486]);
    expect(request.isAnswered).toBe(true);
  });

  it('sends nothing after CANCEL, and tells everybody who listens', () => {
    const { request, sent, cancel } = requestOf();
    let told = 0;
    request.onCancel(() => (told += 1));
    request.onCancel(() => (told += 1));
    cancel();
    request.respond(200);
    expect([told, request.isCancelled, sent]).toEqual([2, true, []]);
  });

  it('never answers an ACK', () => {
    const { request, sent } = requestOf({ method: 'ACK' });
    request.respond(481);
    expect(sent).toEqual([]);
  });
});
