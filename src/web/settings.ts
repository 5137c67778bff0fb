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

export interface DeskKey {
  readonly key: string;
  readonly tenant: string;
  readonly roles: readonly ('human' | 'supervisor')[];
}

export interface DeskAccess {
  /** Where the desk's page may come from. */
  readonly origins: readonly string[];
  readonly keys: readonly DeskKey[];
  /** How long a human's page may be gone before it has left the call. */
  readonly away_ms: number;
}
