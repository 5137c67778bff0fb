/** What a gateway that is dead had brought to its disk of its calls: nothing else was promised. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLine } from '../../../src/jobs/spool/line.ts';
import { factLine } from './stored-call.ts';

/**
 * By the id of the call, one line for each fact in the order of the spool. Complete as long as the spool has
 * not outgrown its first file: files whose words were taken over are removed.
 */
export async function committedFacts(dataDir: string): Promise<Map<string, string[]>> {
  const folder = join(dataDir, 'spool');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const facts = new Map<string, string[]>();
  for (const entry of texts.flatMap((text) => text.split('\n').map(readLine))) {
    if (entry?.content.type !== 'call' || entry.content.word.type !== 'fact') continue;
    const { callId, word } = entry.content;
    facts.set(callId, [...(facts.get(callId) ?? []), factLine(word.index, word.fact)]);
  }
  return facts;
}
