/** `npm run call`: a test phone in the terminal. Real SIP and RTP through the gateway's public ports. */
import { parseArgs } from 'node:util';
import { CallReport } from './call/report.ts';
import { BookingScript, ListScript, nextOpenDay, type Script } from '../test/support/phone/scripts.ts';
import { placeCall, type CallPlan } from './call/place-call.ts';

const help = `npm run call -- [options]     calls the gateway and talks to the agent

  --say "..."      a sentence to say, once per turn of the agent; may be given many times. Asked
                   again, the phone repeats itself. Without any it listens and books an appointment.
  --text           without --say: wants the confirmation by text as well
  --to NUMBER      the number to call              (+15550100)
  --from NUMBER    the caller's number             (+15550199)
  --target H:P     the gateway's SIP address, UDP  (127.0.0.1:5060)
  --operator URL   the gateway's operator API      (http://127.0.0.1:8080)
  --codec NAME     pcmu or pcma                    (pcmu)
  --voice NAME     a voice of espeak-ng            (en-us+f5)
  --user NAME      digest credentials, together with --password
  --password TEXT
  --wav FILE       stereo recording: left the phone, right the agent (call.wav)
  --timeout S      end of patience, in seconds     (90)
  --help

Exit code 0: the agent's tool recorded a booking and the agent hung up. Anything else: 1, and a sentence why.
`;

function readPlan(): CallPlan {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      say: { type: 'string', multiple: true },
      text: { type: 'boolean', default: false },
      to: { ...text, default: '+15550100' },
      from: { ...text, default: '+15550199' },
      target: { ...text, default: '127.0.0.1:5060' },
      operator: { ...text, default: 'http://127.0.0.1:8080' },
      codec: { ...text, default: 'pcmu' },
      voice: { ...text, default: 'en-us+f5' },
      user: text,
      password: text,
      wav: { ...text, default: 'call.wav' },
      timeout: { ...text, default: '90' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    process.exit(0);
  }
  const { codec, user, password } = values;
  if (codec !== 'pcmu' && codec !== 'pcma') throw new Error(`--codec is pcmu or pcma, not "${codec}"`);
  if ((user === undefined) !== (password === undefined))
    throw new Error('--user and --password belong together');
  const timeoutS = Number(values.timeout);
  if (!(timeoutS > 0 && timeoutS <= 3600)) throw new Error('--timeout is 1 to 3600 seconds');
  if (!/^[\w.-]+:\d+$/.test(values.target)) throw new Error(`--target is host:port, not "${values.target}"`);
  return {
    script: scriptOf(values.say ?? [], values.text),
    to: values.to,
    from: values.from,
    target: values.target,
    operatorUrl: values.operator,
    codec,
    voice: values.voice,
    ...(user === undefined || password === undefined ? {} : { auth: { username: user, password } }),
    wavFile: values.wav,
    timeoutMs: timeoutS * 1000,
  };
}

function scriptOf([first, ...more]: readonly string[], wantsText: boolean): Script {
  if (first !== undefined) return new ListScript([first, ...more]);
  return new BookingScript(nextOpenDay(), { afterwards: wantsText ? ['text me the confirmation'] : [] });
}

try {
  const plan = readPlan();
  const report = new CallReport(process.stdout);
  const succeeded = await placeCall(plan, report);
  process.exit(succeeded ? 0 : 1);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
