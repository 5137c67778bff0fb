/** What single tenants may have of what all share (config/trunkline.yaml explains each). 0: no limit. */
export interface TenantLimitSettings {
  readonly tenant: string;
  readonly calls_max: number;
  readonly calls_per_second_max: number;
  readonly visits_max: number;
  readonly visits_per_minute_max: number;
  readonly minutes_per_day_max: number;
  /** Whether calls in progress end when the minutes are spent. */
  readonly minutes_end_calls: boolean;
  /** Whose midnight begins a new day. */
  readonly time_zone: string;
}
