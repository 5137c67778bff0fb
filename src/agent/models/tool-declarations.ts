/** The tools of a profile, as OpenAI's protocols want them declared. */
import { permittedNames } from '../tools/permission.ts';
import { HANG_UP } from '../voice-model.ts';

/** What the model is told of a tool. */
export interface ToolDeclaration {
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface DeclaredTool {
  readonly type: 'function';
  readonly name: string;
  readonly description: string;
  readonly parameters: Record<string, unknown>;
}

const hang_up: ToolDeclaration = {
  description: 'Ends the call once everything said so far has been played to the caller.',
  parameters: {
    type: 'object',
    properties: { reason: { type: 'string', description: 'Why the call is over, in a few words.' } },
    required: ['reason'],
    additionalProperties: false,
  },
};

/**
 * A tool that the profile lists and nobody declared still has a name; the model then fills the arguments
 * freely.
 */
export function declaredTools(
  names: readonly string[],
  declarations: Readonly<Record<string, ToolDeclaration>>,
): DeclaredTool[] {
  const known: Readonly<Record<string, ToolDeclaration>> = { ...declarations, [HANG_UP]: hang_up };
  const named = permittedNames(names, Object.keys(declarations));
  return [...new Set([...named, HANG_UP])].map((name) => {
    const declaration = known[name];
    return {
      type: 'function',
      name,
      description: declaration?.description ?? name.replaceAll('_', ' '),
      parameters: declaration?.parameters ?? { type: 'object', properties: {} },
    };
  });
}
