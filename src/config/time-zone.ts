/** A time zone by its IANA name. */
import { z } from 'zod';

export const timeZone = z.string().refine((name) => {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}, 'no IANA time zone, such as Europe/London');
