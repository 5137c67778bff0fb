/**
 * Twilio's Messages resource: basic auth, form bodies, `SM…` names, error codes, the list of what was sent;
 * and its callbacks, signed by Twilio's own algorithm (the `twilio` package checks that in the stand-in's
 * test).
 */
import { createHash, createHmac } from 'node:crypto';
import { startHttpStandIn, type Answer, type Asked, type HttpStandIn } from './http-stand-in.ts';

export interface TwilioMessage {
  readonly sid: string;
  readonly to: string;
  readonly from: string;
  readonly body: string;
  readonly statusCallback: string | null;
  readonly createdAt: Date;
}

/** A webhook of Twilio's: what is posted where. */
export interface TwilioCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface TwilioStandIn extends HttpStandIn {
  /** What was sent, oldest first. */
  readonly messages: readonly TwilioMessage[];
  /** Numbers that answered STOP to Twilio: error 21610. */
  readonly optedOut: Set<string>;
  /** The callback for a status, ready to be posted: to `url`, or where the message says. */
  callback(message: TwilioMessage, status: string, more?: Readonly<Record<string, string>>): TwilioCall;
  /** The webhook for a text that somebody wrote. */
  incoming(url: string, text: { from: string; to: string; body: string }): TwilioCall;
}

export interface TwilioAccount {
  readonly accountSid: string;
  readonly authToken: string;
}

const E164 = /^\+[1-9]\d{4,14}$/;

export async function startTwilio(account: TwilioAccount): Promise<TwilioStandIn> {
  const messages: TwilioMessage[] = [];
  const optedOut = new Set<string>();
  const path = `/2010-04-01/Accounts/${account.accountSid}/Messages.json`;
  const authorization = `Basic ${btoa(`${account.accountSid}:${account.authToken}`)}`;

  const create = (body: string): Answer => {
    const form = new URLSearchParams(body);
    const [to, from, text] = ['To', 'From', 'Body'].map((name) => form.get(name) ?? '');
    if (to === undefined || !E164.test(to)) return problem(400, 21211, `Invalid 'To' Phone Number: ${to}`);
    if (from === undefined || from === '') return problem(400, 21603, "A 'From' phone number is required.");
    if (text === undefined || text === '') return problem(400, 21602, 'Message body is required.');
    if (optedOut.has(to)) return problem(400, 21610, 'Attempt to send to unsubscribed recipient');
    const sid = `SM${createHash('md5').update(`${messages.length}`).digest('hex')}`;
    const statusCallback = form.get('StatusCallback');
    const message = { sid, to, from, body: text, statusCallback, createdAt: new Date() };
    messages.push(message);
    return { status: 201, body: view(message) };
  };

  const list = (query: URLSearchParams): Answer => {
    const found = messages.filter((one) => [null, one.to].includes(query.get('To'))).reverse();
    return { status: 200, body: { messages: found.slice(0, Number(query.get('PageSize') ?? 50)).map(view) } };
  };

  const server = await startHttpStandIn((asked: Asked): Answer => {
    const url = new URL(asked.path, 'http://twilio.local');
    if (asked.headers['authorization'] !== authorization) return problem(401, 20003, 'Authenticate');
    if (url.pathname !== path) return problem(404, 20404, 'The requested resource was not found');
    if (asked.method === 'GET') return list(url.searchParams);
    if (asked.headers['content-type'] !== 'application/x-www-form-urlencoded')
      return problem(415, 20415, 'Content-Type');
    return create(asked.body);
  });

  return {
    ...server,
    messages,
    optedOut,
    callback: (message, status, more = {}) =>
      signed(account.authToken, message.statusCallback ?? '', {
        MessageSid: message.sid,
        SmsSid: message.sid,
        AccountSid: account.accountSid,
        MessageStatus: status,
        SmsStatus: status,
        To: message.to,
        From: message.from,
        ApiVersion: '2010-04-01',
        ...more,
      }),
    incoming: (url, { from, to, body }) =>
      signed(account.authToken, url, {
        MessageSid: `SM${createHash('md5').update(`${from}${body}`).digest('hex')}`,
        AccountSid: account.accountSid,
        SmsStatus: 'received',
        From: from,
        To: to,
        Body: body,
        NumMedia: '0',
      }),
  };
}

function signed(authToken: string, url: string, fields: Readonly<Record<string, string>>): TwilioCall {
  const text = Object.keys(fields)
    .sort()
    .reduce((sum, name) => sum + name + (fields[name] ?? ''), url);
  return {
    url,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': createHmac('sha1', authToken).update(text, 'utf8').digest('base64'),
    },
    body: new URLSearchParams(fields).toString(),
  };
}

function view(message: TwilioMessage): Record<string, unknown> {
  const { sid, to, from, body, createdAt } = message;
  return {
    ...{ sid, to, from, body, status: 'queued', direction: 'outbound-api', error_code: null },
    // As Twilio writes it: RFC 2822, whole seconds.
    date_created: createdAt.toUTCString().replace('GMT', '+0000'),
    date_sent: null,
  };
}

function problem(status: number, code: number, message: string): Answer {
  return {
    status,
    body: { code, message, status, more_info: `https://www.twilio.com/docs/errors/${code}` },
  };
}
