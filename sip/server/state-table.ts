/** state -> event -> next state. A pair that is not listed is an illegal move. */
export type StateTable<S extends string, E extends string> = Readonly<
  Record<S, Readonly<Partial<Record<E, S>>>>
>;

/** The state after `event`; throws on an illegal move, which is always a programming error. */
export function nextState<S extends string, E extends string>(
  table: StateTable<S, E>,
  state: S,
  event: E,
): S {
  const next = table[state][event];
  if (next === undefined) throw new Error(`illegal move: ${event} in state ${state}`);
  return next;
}

export function isLegal<S extends string, E extends string>(
  table: StateTable<S, E>,
  state: S,
  event: E,
): boolean {
  return table[state][event] !== undefined;
}
