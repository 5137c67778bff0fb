/** What the bench and the process that holds its rooms say to each other over the IPC channel. */
import { z } from 'zod';

const port = z.int().min(1).max(65_535);
const party = { port, ssrc: z.int().min(0) };

export const roomOrderSchema = z.discriminatedUnion('type', [
  /** A room with an agent, for the browser whose RTP comes from `port`, in Opus. */
  z.strictObject({ type: z.literal('visit'), ...party }),
  /** A room with a phone leg, whose caller is at `callerPort`, for a browser in PCMU. */
  z.strictObject({ type: z.literal('meeting'), ...party, callerPort: port }),
  /** So many consumers in one worker for the one party that speaks, spread over `ports`. */
  z.strictObject({
    type: z.literal('listen'),
    partyPort: port,
    ssrc: z.int().min(0),
    ports: z.array(port).min(1),
    consumers: z.int().min(1),
  }),
  /** Closes everything. */
  z.strictObject({ type: z.literal('close') }),
]);
export type RoomOrder = z.infer<typeof roomOrderSchema>;

export const roomAnswerSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  /** Where the browser's RTP goes to, and the caller's. */
  z.strictObject({ type: z.literal('opened'), rtpPort: port, legPort: port.nullable() }),
  z.strictObject({ type: z.literal('closed') }),
]);
export type RoomAnswer = z.infer<typeof roomAnswerSchema>;
