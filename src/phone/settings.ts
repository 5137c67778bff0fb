/** What the phone door is told by the configuration (config/trunkline.yaml explains each). */
import type { Codec } from '../media/frame.ts';

export interface TrunkConfig {
  readonly name: string;
  readonly tenant: string;
  /** Addresses and networks. */
  readonly allow: readonly string[];
  readonly auth?:
    { readonly username: string; readonly password: string; readonly realm?: string | undefined } | undefined;
  /** Best first. */
  readonly codecs: readonly Codec[];
  readonly calls_max: number;
  /** Refer-To of a transfer: a URI with {number} and, if need be, {host}. */
  readonly refer_to: string;
  readonly media: {
    readonly learn_source: boolean;
    readonly learn_window_ms: number;
    readonly relatch_after_silence: boolean;
    readonly rtp_timeout_ms: number;
  };
}

export interface NumberConfig {
  readonly number: string;
  readonly tenant: string;
  readonly profile: string;
}

export interface CallLimits {
  readonly max: number;
  readonly per_second_max: number;
  readonly answer_after_ms: number;
  readonly duration_max_ms: number;
}
