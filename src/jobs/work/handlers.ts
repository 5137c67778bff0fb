/** Which handler does the jobs of which queue. Jobs of a queue without one wait. */
import type { Handlers } from '../work.ts';
import { audit } from './audit.ts';
import { transcripts } from './transcripts.ts';

export const HANDLERS: Handlers = { transcripts, audit };
