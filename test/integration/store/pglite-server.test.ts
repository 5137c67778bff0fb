/** PGlite's one session, served to many: nobody gets another's answer, nobody's end holds up the others. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PgliteServer } from '../../../src/store/pglite-server.ts';
import { copyPglite } from '../../support/store/databases.ts';

let folder: string;
let db: PGlite;
let server: PgliteServer;
const path = (): string => join(folder, '.s.PGSQL.5432');
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-pglite-'));
  await copyPglite(folder);
  db = await PGlite.create({ dataDir: join(folder, 'postgres') });
  await db.exec('CREATE TABLE notes (note text PRIMARY KEY)');
  server = await PgliteServer.start(db, { path: path(), clientsMax: 8 });
});
afterAll(async () => {
  await server.close();
  await db.close();
  await rm(folder, { recursive: true });
});

async function client(): Promise<pg.Client> {
  const one = new pg.Client({ host: folder, user: 'postgres', database: 'postgres' });
  one.on('error', () => undefined);
  await one.connect();
  return one;
}

async function notes(of: pg.Client): Promise<string[]> {
  const { rows } = await of.query<{ note: string }>('SELECT note FROM notes ORDER BY note');
  return rows.map(({ note }) => note);
}

/** A connection without a driver. */
async function rawClient(): Promise<Socket> {
  const socket = connect(path());
  await once(socket, 'connect');
  return socket;
}

/** A startup message (protocol 3.0) for the user postgres. */
function hello(): Buffer {
  const words = Buffer.from('user\0postgres\0database\0postgres\0\0');
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + words.length, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, words]);
}

/** Any message: its type, its length, its content. */
function message(type: string, content: string): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`);
  head.writeInt32BE(4 + content.length, 1);
  return Buffer.concat([head, Buffer.from(content, 'latin1')]);
}

/** What comes until it holds `sign`. */
async function heard(socket: Socket, sign: string): Promise<string> {
  let text = '';
  while (!text.includes(sign)) text += String((await once(socket, 'data')) as [Buffer]);
  return text;
}

describe('a server of PGlite', () => {
  it('gives everybody the answers to their own questions', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, client));
    const asked = clients.flatMap((one, who) =>
      Array.from({ length: 40 }, async (_, n) => {
        const { rows } = await one.query<{ a: string }>('SELECT $1::text AS a', [`${who}/${n}`]);
        return rows[0]?.a === `${who}/${n}`;
      }),
    );
    expect((await Promise.all(asked)).every(Boolean)).toBe(true);
    await Promise.all(clients.map((one) => one.end()));
  });

  it('lets nobody into the transaction of another', async () => {
    const [one, other] = [await client(), await client()];
    await one.query('BEGIN');
    await one.query('INSERT INTO notes VALUES ($1)', ['unsure']);
    const seen = notes(other);
    await one.query('ROLLBACK');
    expect(await seen).toEqual([]);
    await Promise.all([one.end(), other.end()]);
  });

  it('answers what was asked at once in one piece, mistakes in the middle of it too', async () => {
    const [socket, other] = [await rawClient(), await client()];
    socket.write(hello());
    await heard(socket, 'Z\0\0\0\x05I');
    const pieces: string[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(String(piece)));
    const asked = ['BEGIN', `INSERT INTO notes VALUES ('one')`, 'SELEKT 1', `SELECT 'late'`, 'ROLLBACK'];
    socket.write(Buffer.concat(asked.map((one) => message('Q', `${one}\0`))));
    while (!pieces.join('').includes('ROLLBACK')) await once(socket, 'data');
    expect(pieces).toHaveLength(1);
    // Each ends with how the transaction stands: in it, in it, failed, failed, out of it.
    expect([...(pieces[0] ?? '').matchAll(/Z\0\0\0\x05([ITE])/g)].map((end) => end[1]).join('')).toBe(
      'TTEEI',
    );
    expect(pieces[0]).toMatch(/42601.*25P02/s);
    expect(await notes(other)).toEqual([]);
    socket.destroy();
    await other.end();
  });

  it('rolls back what a client leaves open that is gone, and goes on with the next', async () => {
    const [one, other] = [await client(), await client()];
    await one.query('BEGIN');
    await one.query('INSERT INTO notes VALUES ($1)', ['lost']);
    const seen = notes(other);
    const socket = (one as unknown as { connection: { stream: Socket } }).connection.stream;
    socket.destroy();
    expect(await seen).toEqual([]);
    await other.query('INSERT INTO notes VALUES ($1)', ['kept']);
    expect(await notes(other)).toEqual(['kept']);
    await other.query('DELETE FROM notes');
    await other.end();
  });

  it('tells mistakes to whoever made them, and answers on', async () => {
    const one = await client();
    await expect(one.query('SELECT $1::int', ['no number'])).rejects.toMatchObject({ code: '22P02' });
    await expect(one.query('SELEKT 1')).rejects.toMatchObject({ code: '42601' });
    await one.query('BEGIN');
    await expect(one.query('SELECT no_such FROM notes')).rejects.toMatchObject({ code: '42703' });
    await expect(one.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
    await one.query('ROLLBACK');
    expect((await one.query('SELECT 1 AS a')).rows).toEqual([{ a: 1 }]);
    await one.end();
  });

  it('understands messages that come in pieces, and several at once', async () => {
    const socket = await rawClient();
    for (const byte of hello()) socket.write(Buffer.of(byte));
    await heard(socket, 'Z\0\0\0\x05I');
    const [first, second] = [message('Q', `SELECT 'first'\0`), message('Q', `SELECT 'second'\0`)];
    socket.write(Buffer.concat([first, second.subarray(0, 9)]));
    await heard(socket, 'first');
    socket.write(second.subarray(9));
    expect(await heard(socket, 'second')).toContain('SELECT 1');
    socket.destroy();
  });

  it('offers no TLS on a socket of this machine, and ends with what is no client', async () => {
    const polite = await rawClient();
    const tls = Buffer.alloc(8);
    tls.writeInt32BE(8, 0);
    tls.writeInt32BE(80_877_103, 4);
    polite.write(tls);
    expect(await heard(polite, 'N')).toBe('N');
    polite.write(hello());
    await heard(polite, 'Z\0\0\0\x05I');
    polite.destroy();
    const rude = await rawClient();
    rude.write('GET / HTTP/1.1\r\n\r\n');
    await once(rude.resume(), 'close');
    const odd = await rawClient();
    odd.write(Buffer.concat([hello(), Buffer.from('Q\x7f\xff\xff\xff', 'latin1')]));
    await once(odd.resume(), 'close');
    const next = await client();
    expect(await notes(next)).toEqual([]);
    await next.end();
  });

  it('keeps a question whole whose client wants to hear of its beginning first', async () => {
    const [socket, other] = [await rawClient(), await client()];
    socket.write(hello());
    await heard(socket, 'Z\0\0\0\x05I');
    // Parse, then Flush: ParseComplete comes, and the turn does not end.
    socket.write(Buffer.concat([message('P', '\0SELECT 7\0\0\0'), message('H', '')]));
    await heard(socket, '1');
    const asked = notes(other);
    for (let turns = 0; turns < 10; turns += 1) await setImmediate();
    socket.write(
      Buffer.concat([message('B', '\0\0\0\0\0\0\0\0'), message('E', '\0\0\0\0\0'), message('S', '')]),
    );
    // The other's question in between would have taken the statement's place.
    expect(await heard(socket, 'Z\0\0\0\x05I')).toMatch(/7.*SELECT 1/s);
    expect(await asked).toEqual([]);
    socket.destroy();
    await other.end();
  });

  it('gives a long answer whole', async () => {
    const one = await client();
    const { rows } = await one.query<{ n: number }>('SELECT n FROM generate_series(1, 20000) AS n');
    expect(rows).toHaveLength(20_000);
    expect(rows.at(-1)).toEqual({ n: 20_000 });
    await one.end();
  });

  it('takes in as many as it was told, and loses what they did not commit when it is closed', async () => {
    const second = join(folder, '.s.PGSQL.5433');
    const small = await PgliteServer.start(db, { path: second, clientsMax: 1 });
    const own = (): pg.Client => {
      const one = new pg.Client({ host: folder, port: 5433, user: 'postgres', database: 'postgres' });
      one.on('error', () => undefined);
      return one;
    };
    const [first, refused] = [own(), own()];
    await first.connect();
    await expect(refused.connect()).rejects.toThrow();
    await first.query('BEGIN');
    await first.query('INSERT INTO notes VALUES ($1)', ['never']);
    const gone = new Promise((resolve) => first.once('end', resolve));
    await small.close();
    await gone;
    const one = await client();
    expect(await notes(one)).toEqual([]);
    await one.end();
  });

  it('does not mind clients that leave in the middle of a word', async () => {
    const [silent, curt, halfway] = [await rawClient(), await rawClient(), await rawClient()];
    silent.destroy();
    curt.write(hello().subarray(0, 6));
    curt.destroy();
    halfway.write(hello());
    await heard(halfway, 'Z\0\0\0\x05I');
    halfway.write(message('P', '\0SELECT 7\0\0\0'));
    halfway.destroy();
    const one = await client();
    expect((await one.query('SELECT $1::int AS n', [8])).rows).toEqual([{ n: 8 }]);
    await one.end();
  });
});
