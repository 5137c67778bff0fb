import type { HistoryTurn } from '../../voice-model.ts';

/** The newest turns of a conversation that still fit, oldest first. */
export function recentTurns(
  history: readonly HistoryTurn[],
  limits: { turns: number; chars: number },
): HistoryTurn[] {
  const kept: HistoryTurn[] = [];
  let chars = 0;
  for (const turn of [...history].reverse()) {
    chars += turn.text.length;
    if (kept.length >= limits.turns || chars > limits.chars) break;
    if (turn.text !== '') kept.unshift(turn);
  }
  return kept;
}
