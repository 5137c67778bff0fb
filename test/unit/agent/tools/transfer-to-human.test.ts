import { describe, expect, it } from 'vitest';
import { agentProfileSchema } from '../../../../src/agent/profile.ts';
import { ToolRegistry } from '../../../../src/agent/tools/tool-registry.ts';
import { transferToHuman } from '../../../../src/agent/tools/transfer-to-human.ts';
import type { HandoffAnswer, HandoffWish } from '../../../../src/room/human-desk.ts';

const profile = agentProfileSchema.parse({
  name: 'clinic',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Goodbye.',
  tasks: [{ name: 'human', phrases: ['a person'], tool: 'transfer_to_human', done: 'One moment.' }],
  tools: ['transfer_to_human'],
  back: { handed_back: 'Back.', human_left: 'Gone.', unanswered: 'Nobody.' },
});

function stage(answer: HandoffAnswer): { wishes: HandoffWish[]; run: (given: unknown) => Promise<unknown> } {
  const wishes: HandoffWish[] = [];
  const desk = {
    request: (wish: HandoffWish): HandoffAnswer => {
      wishes.push(wish);
      return answer;
    },
  };
  const tools = new ToolRegistry({ tools: [transferToHuman(desk)] });
  return { wishes, run: (given) => tools.run('transfer_to_human', given, { callId: 'call-1', profile }) };
}

const taken: HandoffAnswer = { taken: true, handoffId: 'h' };

describe('transfer_to_human', () => {
  it('queues the call with reason, briefing, and what the agent says when it is back', async () => {
    const { wishes, run } = stage(taken);
    const given = { reason: 'has a fever', briefing: 'Emily Wilson has a fever. She wants a nurse.' };
    expect(await run(given)).toEqual({ ok: true, state: 'connecting' });
    expect(wishes).toEqual([
      {
        callId: 'call-1',
        ...given,
        say: { 'handed-back': 'Back.', 'human-left': 'Gone.', unanswered: 'Nobody.' },
      },
    ]);
  });

  it('needs neither: models that choose no arguments may call it, too', async () => {
    const { wishes, run } = stage(taken);
    await run({});
    expect(wishes[0]).toMatchObject({ reason: 'asks for a person' });
    expect(wishes[0]).not.toHaveProperty('briefing');
  });

  it('asks again when it is asked again: nobody came the first time, perhaps', async () => {
    const { wishes, run } = stage(taken);
    await run({});
    await run({});
    expect(wishes).toHaveLength(2);
  });

  it('says at once when nobody is there, in a sentence that can be read out', async () => {
    expect(await stage({ taken: false, why: 'nobody' }).run({})).toEqual({
      ok: false,
      reason: 'Nobody can take the call at the moment.',
    });
    expect(await stage({ taken: false, why: 'no-such-call' }).run({})).toMatchObject({ ok: false });
    expect(await stage({ taken: false, why: 'under-way' }).run({})).toMatchObject({ ok: true });
  });

  it.each([{ briefing: '' }, { briefing: 'x'.repeat(601) }, { reason: 1 }, { to: 'a nurse' }])(
    'refuses %j',
    async (given) => {
      await expect(stage(taken).run(given)).rejects.toThrow(/TOOL_ARGUMENTS_INVALID/);
    },
  );
});
