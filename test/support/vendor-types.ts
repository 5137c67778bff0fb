/**
 * Values against the vendor's own types: the TypeScript compiler reads them as literals, so that a missing, a
 * wrong and an unknown field are all named. Costs seconds: check many values at once.
 */
import { join } from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../../src/config.ts';

export interface Checked {
  /** An exported type of `module`. */
  readonly type: string;
  readonly module: string;
  readonly values: readonly unknown[];
}

/** What the compiler says of them, each with the value; empty: all are of their types. */
export function complaintsOf(checked: readonly Checked[]): string[] {
  const lines: string[] = [];
  checked.forEach(({ type, module }, index) =>
    lines.push(`import type { ${type} as T${index} } from ${JSON.stringify(module)};`),
  );
  // One value per line: a complaint's line names its value.
  checked.forEach(({ values }, index) => {
    for (const value of values) lines.push(`{ const v: T${index} = ${JSON.stringify(value)}; void v; }`);
  });
  return diagnose(lines.join('\n')).map(
    ({ line, message }) => `${message}\n  ${(lines[line] ?? '').slice(0, 400)}`,
  );
}

function diagnose(source: string): { line: number; message: string }[] {
  const path = join(packageRoot, 'test', 'vendor-types-virtual.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
  };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (file) => file === path || disk.fileExists(file),
    readFile: (file) => (file === path ? source : disk.readFile(file)),
    getSourceFile: (file, ...rest) =>
      file === path
        ? ts.createSourceFile(file, source, ts.ScriptTarget.ESNext, true)
        : disk.getSourceFile(file, ...rest),
  };
  const program = ts.createProgram([path], options, host);
  const file = program.getSourceFile(path);
  if (file === undefined) throw new Error('the compiler did not read the values');
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((one) => ({
    line: file.getLineAndCharacterOfPosition(one.start ?? 0).line,
    message: ts.flattenDiagnosticMessageText(one.messageText, '\n'),
  }));
}
