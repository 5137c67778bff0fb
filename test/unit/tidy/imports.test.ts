import { describe, expect, it } from 'vitest';
import { checkImports, IMPORT_TABLE, partOf } from '../../tidy/imports.ts';
import { importsOf } from '../../tidy/syntax.ts';

const imports = (path: string, ...from: string[]): string[] =>
  checkImports([{ path, text: from.map((each) => `import { x } from '${each}';`).join('\n') }]);

describe('partOf', () => {
  it.each([
    ['src/media/rtp.ts', 'media'],
    ['src/agent/models/offline/dialog.ts', 'agent'],
    ['src/main.ts', 'main'],
    ['src/config-schema.ts', 'config'],
    ['sip/server/parse.ts', 'sip-server'],
    ['widget/client/call-state.ts', 'widget'],
    ['console/desk/desk.tsx', 'console'],
    ['test/unit/media/rtp.test.ts', undefined],
    ['sip/drachtio.conf.xml', undefined],
  ])('%s', (path, part) => {
    expect(partOf(path)).toBe(part);
  });
});

describe('checkImports', () => {
  it('lets parts import what lies below them, themselves, and Node', () => {
    expect(imports('src/media/anchor.ts', '../base/errors.ts', './rtp.ts', 'node:dgram')).toEqual([]);
    expect(imports('src/phone/call.ts', '../base/ids.ts', '../media/sdp.ts', '../room/room.ts')).toEqual([]);
    expect(imports('src/agent/models/offline/dialog.ts', '../../profile.ts', '../../../base/log.ts')).toEqual(
      [],
    );
    expect(imports('src/agent/models/live/session.ts', '../digits.ts', '../voice-socket/wire.ts')).toEqual(
      [],
    );
    expect(imports('src/agent/models/live/task-backend.ts', '../offline/dialog.ts')).toEqual([]);
    expect(imports('src/agent/open-voice.ts', './models/realtime/index.ts')).toEqual([]);
    expect(imports('src/main.ts', './gateway.ts', './config.ts')).toEqual([]);
    expect(imports('widget/client/signalling.ts', './emitter.ts', '../../src/web/wire.ts')).toEqual([]);
  });

  it.each([
    ['src/base/log.ts', '../media/rtp.ts', 'base must not import media (rtp.ts)'],
    ['src/media/voice.ts', '../agent/profile.ts', 'media must not import agent (profile.ts)'],
    ['src/media/anchor.ts', '../room/room.ts', 'media must not import room (room.ts)'],
    ['src/phone/call.ts', '../agent/agent.ts', 'phone must not import agent (agent.ts)'],
    ['src/phone/call.ts', '../web/server.ts', 'phone must not import web (server.ts)'],
    ['src/web/server.ts', '../phone/call.ts', 'web must not import phone (call.ts)'],
    ['src/agent/agent.ts', '../web/server.ts', 'agent must not import web (server.ts)'],
    ['src/phone/call.ts', '../config.ts', 'phone must not import config (config.ts)'],
    ['src/room/room.ts', '../gateway.ts', 'room must not import gateway (gateway.ts)'],
    ['src/main.ts', './media/threads.ts', 'main must not import media (threads.ts)'],
    ['src/agent/tools/sms.ts', '../../store/sql.ts', 'agent must not import store (sql.ts)'],
    ['src/phone/call.ts', '../../sip/server/index.ts', 'phone must not import sip-server (index.ts)'],
    ['src/media/rtp.ts', '../../test/support/tone.ts', 'media must not import test/support/tone.ts'],
    ['sip/server/server.ts', '../../src/phone/call.ts', 'sip-server must not import phone (call.ts)'],
    [
      'src/agent/models/live/index.ts',
      '../realtime/replies.ts',
      'live must not import realtime (replies.ts)',
    ],
    ['src/agent/models/pipeline/usage.ts', '../live/usage.ts', 'pipeline must not import live (usage.ts)'],
    ['src/agent/models/new/a.ts', '../offline/words.ts', 'new must not import offline (words.ts)'],
    ['widget/client/call.ts', '../../src/web/tokens.ts', 'widget must not import web (tokens.ts)'],
    ['console/desk/desk.tsx', '../../src/room/room.ts', 'console must not import room (room.ts)'],
    ['src/web/server.ts', '../../widget/widget.ts', 'web must not import widget (widget.ts)'],
  ])('stops %s from importing %s', (path, from, message) => {
    expect(imports(path, 'node:fs', from)).toEqual([`${path}:2 ${message}`]);
  });

  it('lets one folder import each outside library', () => {
    expect(imports('src/media/sfu-router.ts', 'mediasoup')).toEqual([]);
    expect(imports('src/phone/front.ts', 'drachtio-srf')).toEqual([]);
    expect(imports('src/media/sdp.ts', 'sdp-transform')).toEqual([]);
    expect(imports('widget/client/webrtc-media.ts', 'mediasoup-client', 'socket.io-client')).toEqual([]);
    expect(imports('src/agent/voice.ts', '@echogarden/fvad-wasm', 'zod')).toEqual([]);
  });

  it.each([
    ['src/room/room.ts', 'mediasoup', 'mediasoup must not be imported here'],
    ['src/media/anchor.ts', 'mediasoup/types', 'mediasoup must not be imported here'],
    ['src/room/room.ts', 'drachtio-srf', 'drachtio-srf must not be imported here'],
    ['src/phone/offer.ts', 'sdp-transform', 'sdp-transform must not be imported here'],
    ['src/media/thread.ts', 'pino', 'pino must not be imported here'],
    ['sip/server/server.ts', 'ws', 'ws must not be imported here'],
    ['widget/element/captions.ts', 'mediasoup-client', 'mediasoup-client must not be imported here'],
    ['src/base/ids.ts', 'left-pad', 'left-pad has no row in the package table'],
    ['src/base/ids.ts', '@scope/part/deep.js', '@scope/part has no row in the package table'],
  ])('stops %s from importing %s', (path, from, message) => {
    expect(imports(path, from)).toEqual([`${path}:1 ${message}`]);
  });

  it('asks for a row for a new folder of src', () => {
    expect(imports('src/billing/rate.ts')).toEqual([
      'src/billing/rate.ts:1 billing has no row in the import table',
    ]);
  });

  it('leaves tests, scripts and benches free', () => {
    expect(imports('test/unit/a.test.ts', '../../src/phone/call.ts', 'mediasoup')).toEqual([]);
    expect(imports('bench/bench.ts', '../src/gateway.ts')).toEqual([]);
  });
});

describe('the import table', () => {
  it('has no circle', () => {
    const visit = (part: string, above: string[]): void => {
      expect(above, `${above.join(' -> ')} -> ${part}`).not.toContain(part);
      for (const below of IMPORT_TABLE[part] ?? []) visit(below, [...above, part]);
    };
    for (const part of Object.keys(IMPORT_TABLE)) visit(part, []);
  });
});

describe('importsOf', () => {
  it('finds every kind of import, with its line', () => {
    const text = [
      `import type { A } from './a.ts';`,
      `export { b } from './b.ts';`,
      `export * from './c.ts';`,
      `import './d.ts';`,
      `// import './comment.ts';`,
      `const e = await import('./e.ts');`,
      `const text = "import './string.ts'";`,
    ].join('\n');
    expect(importsOf({ path: 'src/x.ts', text })).toEqual([
      { from: './a.ts', line: 1 },
      { from: './b.ts', line: 2 },
      { from: './c.ts', line: 3 },
      { from: './d.ts', line: 4 },
      { from: './e.ts', line: 6 },
    ]);
  });
});
