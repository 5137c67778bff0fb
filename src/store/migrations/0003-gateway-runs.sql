-- Lives of gateways' processes: what a call's gateway was when it opened the call, and which of them are over.
-- Empty: of a version whose runs had no name.
ALTER TABLE calls ADD COLUMN run text NOT NULL DEFAULT '';
CREATE INDEX calls_left_open ON calls (tenant, gateway, run)
  WHERE ended_at IS NULL OR ending = 'gateway-died';

CREATE TABLE gateway_runs (
  tenant     text NOT NULL REFERENCES tenants,
  gateway    text NOT NULL,
  run        text NOT NULL,
  -- When it was told that the process is gone; null while it may live.
  over_at    timestamptz(3),
  -- When what follows from its calls was asked for: words that come later ask for it themselves.
  settled_at timestamptz(3),
  PRIMARY KEY (tenant, gateway, run)
);
SELECT secure_tenant_tables();
