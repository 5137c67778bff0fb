/** What the browser door is told by the configuration (config/trunkline.yaml explains each). */

export interface WidgetKey {
  readonly key: string;
  readonly tenant: string;
  /** As browsers send them: `https://example.org`, no path. */
  readonly origins: readonly string[];
  readonly profiles: readonly string[];
}

export interface TenantKey {
  readonly key: string;
  readonly tenant: string;
}

export interface WebLimits {
  readonly visits_max: number;
  readonly sockets_per_address: number;
  readonly messages_per_second: number;
  readonly message_bytes_max: number;
  readonly requests_pending_max: number;
}

export interface IceSettings {
  readonly stun_urls: readonly string[];
  readonly turn_urls: readonly string[];
  readonly turn_secret: string;
  readonly turn_ttl_s: number;
  readonly relay_only: boolean;
}

export interface WatchSettings {
  readonly alert_after_ms: number;
  /** 0: never. */
  readonly give_up_after_ms: number;
}

export interface WebSettings {
  readonly host: string;
  readonly port: number;
  /** Empty: a random one, and tokens die with the process. */
  readonly token_secret: string;
  readonly token_ttl_max_s: number;
  readonly tenant_keys: readonly TenantKey[];
  readonly widget_keys: readonly WidgetKey[];
  readonly ice: IceSettings;
  readonly watch: WatchSettings;
  readonly limits: WebLimits;
}
