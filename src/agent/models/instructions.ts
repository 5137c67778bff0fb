/** A profile as a model reads it: the operator's prompt, the day, and what the tasks need. */
import type { AgentProfile, Task } from '../profile.ts';
import { HANG_UP } from '../voice-model.ts';

/** Making one takes about a millisecond, and every call needs one; there are some hundred time zones. */
const dayFormats = new Map<string, Intl.DateTimeFormat>();

function dayFormat(timeZone: string): Intl.DateTimeFormat {
  let format = dayFormats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'full', timeStyle: 'short' });
    dayFormats.set(timeZone, format);
  }
  return format;
}

/** Session instructions. `now` is what makes "tomorrow at ten" a date. */
export function sessionInstructions(profile: AgentProfile, now: Date): string {
  const today = dayFormat(profile.time_zone).format(now);
  const parts = [
    profile.prompt,
    'You are speaking on the telephone. Keep every reply short. Ask one question at a time.',
    `It is now ${today} (${profile.time_zone}).`,
    'What callers may want:',
    ...profile.tasks.map(taskInstructions),
    `When the caller needs nothing more, say "${profile.goodbye}" and then call ${HANG_UP}.`,
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function taskInstructions(task: Task): string {
  const needs = task.slots.map((slot) => `${slot.name} (${slot.kind}; ask "${slot.ask}")`).join(', ');
  const steps = [
    `- ${task.name.replaceAll('_', ' ')}, for example "${task.phrases[0] ?? ''}".`,
    needs === '' ? '' : `You need: ${needs}.`,
    task.confirm === '' ? '' : `Read back before you go on: "${task.confirm}".`,
    task.tool === '' ? '' : `Then call ${task.tool}.`,
    `When it is done say "${task.done}"; when it fails say "${task.failed}".`,
  ];
  return steps.filter((step) => step !== '').join(' ');
}
