/** Sound first: a media thread that waits for a core is heard as a gap. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { messageOf } from '../base/errors.ts';

/** Of Linux's -20 (first) to 19 (last); everything else in the process runs at 0. */
const SOUND_NICENESS = -10;

/**
 * Puts the calling thread before others on a busy machine (Linux
 * schedules threads one by one, setpriority(2)).
 * Needs CAP_SYS_NICE or a nice limit; without it everything works, only less evenly under load.
 * Returns why it did not work, or null.
 */
export function preferSound(): string | null {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), SOUND_NICENESS);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
