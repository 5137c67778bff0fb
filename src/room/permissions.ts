/** What a participant from a browser may do, by its role and by what its token grants. Pure. */

export type Role = 'visitor' | 'human' | 'supervisor' | 'observer';
/**
 * publish: send sound that everybody hears; hear: receive what others say; whisper: speak to human agents
 * only; end: end the call for everybody.
 */
export type Permission = 'publish' | 'hear' | 'whisper' | 'end';

/** The most that a role may ever do. */
const PERMITTED: Readonly<Record<Role, readonly Permission[]>> = {
  visitor: ['publish', 'hear'],
  human: ['publish', 'hear', 'end'],
  supervisor: ['publish', 'hear', 'whisper', 'end'],
  observer: ['hear'],
};

/**
 * What somebody gets who asks for `asked`: never more than the
 * role may have. Everything, when nothing is asked.
 */
export function permissionsOf(role: Role, asked?: readonly Permission[]): Permission[] {
  return PERMITTED[role].filter((one) => asked === undefined || asked.includes(one));
}
