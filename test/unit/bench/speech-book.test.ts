import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { audiblePart, SpeechBook } from '../../../bench/speech-book.ts';

describe('the audible part', () => {
  it('is all between the first and the last loud sample', () => {
    expect([...audiblePart(Int16Array.of(0, 100, 500, 0, -900, 159, 0))]).toEqual([500, 0, -900]);
    expect(audiblePart(Int16Array.of(0, 100)).length).toBe(0);
  });
});

describe('the book', () => {
  it('is the same when it was written and read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-speech-book-'));
    const book = new SpeechBook();
    await book.add([
      { text: 'yes', voice: 'kal16' },
      { text: 'no', voice: 'kal16' },
    ]);
    book.write(join(folder, 'book'));
    const read = SpeechBook.read(join(folder, 'book'));
    rmSync(folder, { recursive: true });
    expect(Buffer.compare(read.sound('yes', 'kal16'), book.sound('yes', 'kal16'))).toBe(0);
    // A word takes between a tenth of a second and a whole one.
    expect(read.sound('no', 'kal16').length).toBeGreaterThan(800);
    expect(read.sound('no', 'kal16').length).toBeLessThan(8000);
    expect(() => read.sound('perhaps', 'kal16')).toThrow('nobody has spoken "perhaps" as kal16');
  });
});
