/**
 * The agent's answer to what the caller said: rounds with the chat model, its words spoken while they are
 * written, its tool calls run in between.
 *
 *   idle --answer--> thinking --no calls--> idle
 *                     ^   |calls
 *      results are in |   v
 *                     tools            thinking --cancel, failure--> idle
 */
import type { ChatCompletionFunctionTool } from 'openai/resources/chat/completions';
import { newId } from '../../../base/ids.ts';
import { HANG_UP } from '../../voice-model.ts';
import type { Answer, Chat } from './chat.ts';
import { Cancelled, isAborted, stageError, type StageError } from './failure.ts';
import type { History } from './history.ts';
import type { Mouth } from './mouth.ts';
import { SentenceSplitter } from './sentences.ts';
import { speakable } from './speakable.ts';
import type { SpokenReply } from './spoken-reply.ts';
import { parseArguments, type AssembledCall } from './tool-assembly.ts';

export interface AnsweringOptions {
  readonly chat: Chat;
  readonly history: History;
  readonly mouth: Mouth;
  readonly tools: readonly ChatCompletionFunctionTool[];
  readonly model: string;
  readonly roundsMax: number;
  /** Resolves when the caller has the word no more: a round begins only then. */
  readonly ourTurn: (signal: AbortSignal) => Promise<void>;
  /** A round has read the conversation so far. */
  readonly onRound: () => void;
  readonly onReply: (reply: SpokenReply) => void;
  readonly onCall: (call: { callId: string; name: string; arguments: unknown }) => void;
  readonly onAnswer: (answer: Answer) => void;
  /** The answer is complete (null), or failed; not told of one that was cancelled. */
  readonly onDone: (failure: StageError | null) => void;
}

interface Turn {
  readonly abort: AbortController;
  phase: 'thinking' | 'tools';
  /** What is being said in this round. */
  reply: SpokenReply | null;
  /** Calls whose results the next round waits for. */
  readonly open: Set<string>;
  resultsIn: () => void;
}

export class Answering {
  readonly #options: AnsweringOptions;
  /** Ids of calls so far: some servers count from zero in every answer. */
  readonly #callIds = new Set<string>();
  #turn: Turn | null = null;

  constructor(options: AnsweringOptions) {
    this.#options = options;
  }

  get busy(): boolean {
    return this.#turn !== null;
  }

  /** Answers the conversation as it stands. Nothing happens while an answer is under way. */
  answer(): void {
    if (this.#turn !== null) return;
    const turn: Turn = {
      abort: new AbortController(),
      phase: 'thinking',
      reply: null,
      open: new Set(),
      resultsIn: () => undefined,
    };
    this.#turn = turn;
    void this.#run(turn).then(
      () => this.#done(turn, null),
      (thrown: unknown) => this.#done(turn, thrown),
    );
  }

  /** Takes back an answer that is being written; tools that run go on. What was being said, if anything. */
  cancel(): { reply: SpokenReply | null } | null {
    const turn = this.#turn;
    if (turn?.phase !== 'thinking') return null;
    this.#turn = null;
    turn.abort.abort();
    return { reply: turn.reply };
  }

  /** Is this reply part of the answer that is being written? */
  isWriting(reply: SpokenReply): boolean {
    return this.#turn?.phase === 'thinking' && this.#turn.reply === reply;
  }

  toolResult(callId: string): void {
    const turn = this.#turn;
    if (turn?.open.delete(callId) && turn.open.size === 0) turn.resultsIn();
  }

  close(): void {
    this.#turn?.abort.abort();
    this.#turn?.resultsIn();
    this.#turn = null;
  }

  #done(turn: Turn, thrown: unknown): void {
    if (this.#turn !== turn) return;
    this.#turn = null;
    this.#endReply(turn);
    if (thrown instanceof Cancelled) return;
    this.#options.onDone(thrown === null ? null : stageError('chat', 'the chat server', thrown));
  }

  async #run(turn: Turn): Promise<void> {
    const { roundsMax, ourTurn } = this.#options;
    const { signal } = turn.abort;
    for (let round = 1; round <= roundsMax; round += 1) {
      await ourTurn(signal);
      if (isAborted(signal)) return;
      const calls = await this.#round(turn, round < roundsMax);
      if (isAborted(signal) || calls.length === 0 || !this.#call(turn, calls)) return;
      await this.#results(turn);
      if (isAborted(signal)) return;
    }
  }

  async #round(turn: Turn, mayCall: boolean): Promise<readonly AssembledCall[]> {
    const { chat, history, tools, model, onRound, onAnswer } = this.#options;
    const { signal } = turn.abort;
    const splitter = new SentenceSplitter();
    turn.phase = 'thinking';
    turn.reply = null;
    onRound();
    const answer = await chat.complete({
      messages: () => history.messages(),
      tools,
      mayCall,
      model,
      signal,
      onText: (piece) => this.#say(turn, splitter.push(piece)),
    });
    onAnswer(answer);
    if (isAborted(signal)) return [];
    this.#say(turn, splitter.flush());
    this.#endReply(turn);
    return answer.calls;
  }

  #endReply(turn: Turn): void {
    if (turn.reply !== null) this.#options.mouth.end(turn.reply);
  }

  #say(turn: Turn, written: readonly string[]): void {
    const { mouth, history, onReply } = this.#options;
    for (const text of written.map(speakable)) {
      if (text === '') continue;
      if (turn.reply === null) {
        turn.reply = mouth.begin();
        onReply(turn.reply);
      }
      mouth.add(turn.reply, text);
      history.said(turn.reply.itemId, turn.reply.text);
    }
  }

  /** Lets the tools run; false when the model waits for none of them. */
  #call(turn: Turn, given: readonly AssembledCall[]): boolean {
    const { history, onCall } = this.#options;
    const calls = given.map((call) => ({ ...call, id: this.#uniqueId(call.id) }));
    history.called(calls);
    turn.phase = 'tools';
    turn.open.clear();
    const runnable: { callId: string; name: string; arguments: unknown }[] = [];
    let refused = false;
    for (const { id, name, arguments: text } of calls) {
      const value = parseArguments(text);
      if (value === undefined) {
        refused = true;
        history.answered(id, { ok: false, error: 'the arguments are not a JSON object' });
        continue;
      }
      runnable.push({ callId: id, name, arguments: value });
      // The voice answers this one only when the caller speaks before the line is cut.
      if (name !== HANG_UP) turn.open.add(id);
    }
    const waited = turn.open.size > 0;
    for (const call of runnable) onCall(call);
    return waited || refused;
  }

  #results(turn: Turn): Promise<void> {
    if (turn.open.size === 0 || turn.abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => (turn.resultsIn = resolve));
  }

  #uniqueId(id: string): string {
    const unique = this.#callIds.has(id) ? newId('call') : id;
    this.#callIds.add(unique);
    return unique;
  }
}
