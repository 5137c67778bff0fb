import { describe, expect, it } from 'vitest';
import { sessionInstructions } from '../../../../src/agent/models/instructions.ts';
import { agentProfileSchema } from '../../../../src/agent/profile.ts';
import { receptionist } from '../../../support/recorded-session.ts';

describe('instructions', () => {
  const profile = agentProfileSchema.parse({
    ...receptionist,
    time_zone: 'America/New_York',
    tasks: [
      {
        name: 'book_appointment',
        phrases: ['I need an appointment'],
        slots: [{ name: 'day', kind: 'day', ask: 'Which day?', ask_again: 'Sorry, which day?' }],
        confirm: 'On {day}, correct?',
        tool: 'book',
        done: 'Done.',
      },
      { name: 'ask_hours', phrases: ['When are you open'], done: 'From nine to five.' },
    ],
  });

  it('hold the prompt, the local day, and what each task needs', () => {
    const text = sessionInstructions(profile, new Date('2026-11-24T02:30:00Z'));
    expect(text).toContain('You are the receptionist of a clinic.');
    expect(text).toContain('Monday');
    expect(text).toContain('23 November 2026');
    expect(text).toContain('21:30');
    expect(text).toContain('day (day; ask "Which day?")');
    expect(text).toContain('Read back before you go on: "On {day}, correct?".');
    expect(text).toContain('Then call book.');
    expect(text).toContain('ask hours');
    expect(text).toContain('From nine to five.');
    expect(text).toContain('Goodbye.');
  });
});
