/** Two SIP servers of one kind, each with an application on it: the one under test (A) and its peer (B). */
import { startTestSipServer, type TestSipServer } from '../../support/sip-server/start.ts';
import { TestApplication } from './application.ts';

const VERBS = ['invite', 'register', 'options', 'message', 'subscribe', 'refer', 'info', 'notify'];

export class Pair {
  readonly serverA: TestSipServer;
  readonly serverB: TestSipServer;
  readonly a: TestApplication;
  readonly b: TestApplication;
  readonly uriA: string;
  readonly uriB: string;

  private constructor(
    [serverA, serverB]: readonly [TestSipServer, TestSipServer],
    [a, b]: readonly [TestApplication, TestApplication],
  ) {
    this.serverA = serverA;
    this.serverB = serverB;
    this.a = a;
    this.b = b;
    this.uriA = `sip:gateway@127.0.0.1:${serverA.udpPort}`;
    this.uriB = `sip:peer@127.0.0.1:${serverB.udpPort}`;
  }

  static async start(): Promise<Pair> {
    const servers = [await startTestSipServer(), await startTestSipServer()] as const;
    const [serverA, serverB] = servers;
    const a = await TestApplication.connect(serverA.admin, VERBS);
    const b = await TestApplication.connect(serverB.admin, VERBS);
    return new Pair(servers, [a, b]);
  }

  /** Neither side answers anything any more. */
  forget(): void {
    this.a.handlers.clear();
    this.b.handlers.clear();
  }

  async close(): Promise<void> {
    this.a.disconnect();
    this.b.disconnect();
    await Promise.all([this.serverA.close(), this.serverB.close()]);
  }
}

/** The status that a call was refused with; 0 when it was answered, -1 when it failed without one. */
export async function refusal(call: Promise<unknown>): Promise<number> {
  const refused = (await call.then(
    () => ({ status: 0 }),
    (error: unknown) => error,
  )) as { status?: number };
  return refused.status ?? -1;
}
