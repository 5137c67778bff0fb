/** PGlite's one session, served to many: nobody gets another's answer, and nobody's end holds up the others. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

function simpleQuery(text: string): Buffer {
  const head = Buffer.from('Q\0\0\0\0');
  head.writeInt32BE(4 + text.length + 1, 1);
  return Buffer.concat([head, Buffer.from(`${text}\0`)]);
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
    const [first, second] = [simpleQuery(`SELECT 'first'`), simpleQuery(`SELECT 'second'`)];
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
});
