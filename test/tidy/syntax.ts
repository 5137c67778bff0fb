import { posix } from 'node:path';
import ts from 'typescript';
import type { TextFile } from './files.ts';

/** An import, export-from or `import()` of a file. */
export interface Import {
  from: string;
  line: number;
}

export function parse(file: TextFile): ts.SourceFile {
  const kinds: Record<string, ts.ScriptKind> = { '.ts': ts.ScriptKind.TS, '.tsx': ts.ScriptKind.TSX };
  const kind = kinds[posix.extname(file.path)] ?? ts.ScriptKind.JS;
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true, kind);
}

/** The line, from 1, on which a node begins, its comments left out. */
export function lineOf(node: ts.Node): number {
  const source = node.getSourceFile();
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

/** Calls `visit` for every node of a file, parents before children. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function importedBy(node: ts.Node): ts.Expression | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return node.arguments[0];
  return undefined;
}

/** All imports of a file, those of types included. */
export function importsOf(file: TextFile): Import[] {
  const found: Import[] = [];
  walk(parse(file), (node) => {
    const specifier = importedBy(node);
    if (specifier && ts.isStringLiteralLike(specifier))
      found.push({ from: specifier.text, line: lineOf(node) });
  });
  return found;
}
