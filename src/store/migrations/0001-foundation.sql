-- Tenants and what their calls leave behind. Every table has `tenant` first in its primary key and in every
-- unique constraint, so that no key of one tenant can collide with, or be guessed from, another's. Instants
-- have milliseconds, as their readers do: a cursor made of one finds its place again.

-- The only role under which the product reads and writes rows. It owns nothing and cannot bypass row
-- security.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'trunkline_app') THEN
    CREATE ROLE trunkline_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT;
  END IF;
  IF NOT pg_has_role(current_user, 'trunkline_app', 'MEMBER') THEN
    EXECUTE format('GRANT trunkline_app TO %I', current_user);
  END IF;
END $$;

-- The tenant of this transaction; null outside a unit of work, and null equals nothing.
CREATE FUNCTION current_tenant() RETURNS text
  LANGUAGE sql STABLE
  RETURN nullif(current_setting('app.tenant', true), '');

CREATE TABLE tenants (
  tenant     text PRIMARY KEY,
  name       text NOT NULL,
  settings   jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE calls (
  tenant        text NOT NULL REFERENCES tenants,
  call_id       text NOT NULL,
  gateway       text NOT NULL,
  source        text NOT NULL DEFAULT 'phone' CHECK (source IN ('phone', 'web')),
  direction     text NOT NULL DEFAULT 'inbound' CHECK (direction IN ('inbound', 'outbound')),
  sip_call_id   text NOT NULL DEFAULT '',
  trunk         text NOT NULL DEFAULT '',
  profile       text NOT NULL DEFAULT '',
  from_number   text NOT NULL DEFAULT '',
  to_number     text NOT NULL DEFAULT '',
  started_at    timestamptz(3) NOT NULL,
  answered_ms   integer,
  ended_at      timestamptz(3),
  duration_ms   integer,
  ending        text,
  ending_class  text,
  ending_detail text,
  media         jsonb,
  summary       text,
  PRIMARY KEY (tenant, call_id)
);
CREATE INDEX calls_by_start ON calls (tenant, started_at DESC, call_id DESC);
CREATE INDEX calls_by_caller ON calls (tenant, from_number, started_at DESC);

CREATE TABLE legs (
  tenant    text NOT NULL,
  leg_id    text NOT NULL,
  call_id   text NOT NULL,
  kind      text NOT NULL,
  codec     text,
  opened_at timestamptz(3) NOT NULL,
  closed_at timestamptz(3),
  stats     jsonb,
  PRIMARY KEY (tenant, leg_id),
  FOREIGN KEY (tenant, call_id) REFERENCES calls ON DELETE CASCADE
);
CREATE INDEX legs_of_call ON legs (tenant, call_id);

-- `seq` counts the entries of a call's timeline: one number for turns, tool calls and events alike.
CREATE TABLE turns (
  tenant      text NOT NULL,
  call_id     text NOT NULL,
  seq         integer NOT NULL CHECK (seq >= 0),
  who         text NOT NULL CHECK (who IN ('caller', 'agent', 'human')),
  text        text NOT NULL,
  at_ms       integer NOT NULL,
  heard_ms    integer,
  interrupted boolean NOT NULL DEFAULT false,
  response_ms integer,
  PRIMARY KEY (tenant, call_id, seq),
  FOREIGN KEY (tenant, call_id) REFERENCES calls ON DELETE CASCADE
);

CREATE TABLE tool_calls (
  tenant    text NOT NULL,
  call_id   text NOT NULL,
  seq       integer NOT NULL CHECK (seq >= 0),
  name      text NOT NULL,
  arguments jsonb NOT NULL,
  result    jsonb NOT NULL,
  ok        boolean NOT NULL,
  code      text,
  took_ms   integer,
  at_ms     integer NOT NULL,
  PRIMARY KEY (tenant, call_id, seq),
  FOREIGN KEY (tenant, call_id) REFERENCES calls ON DELETE CASCADE
);

-- The rest of the timeline: ringing, answered, held, digits, troubles, and what later versions add.
CREATE TABLE call_events (
  tenant  text NOT NULL,
  call_id text NOT NULL,
  seq     integer NOT NULL CHECK (seq >= 0),
  type    text NOT NULL,
  at_ms   integer NOT NULL,
  fact    jsonb NOT NULL,
  PRIMARY KEY (tenant, call_id, seq),
  FOREIGN KEY (tenant, call_id) REFERENCES calls ON DELETE CASCADE
);

CREATE TABLE contacts (
  tenant     text NOT NULL REFERENCES tenants,
  contact_id text NOT NULL,
  e164       text NOT NULL,
  name       text,
  email      text,
  company    text,
  notes      text,
  attributes jsonb NOT NULL DEFAULT '{}',
  -- Ids of this contact in other systems: {"hubspot": "123"}.
  external   jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, contact_id),
  CONSTRAINT one_contact_per_number UNIQUE (tenant, e164)
);
CREATE INDEX contacts_by_change ON contacts (tenant, updated_at DESC, contact_id DESC);

CREATE TABLE activities (
  tenant      text NOT NULL,
  activity_id text NOT NULL,
  contact_id  text NOT NULL,
  call_id     text,
  kind        text NOT NULL DEFAULT 'call',
  summary     text NOT NULL,
  outcome     text,
  occurred_at timestamptz(3) NOT NULL,
  external    jsonb NOT NULL DEFAULT '{}',
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, activity_id),
  CONSTRAINT one_activity_per_call UNIQUE (tenant, call_id, kind),
  FOREIGN KEY (tenant, contact_id) REFERENCES contacts ON DELETE CASCADE
);
CREATE INDEX activities_of_contact ON activities (tenant, contact_id, occurred_at DESC);

-- Short messages both ways, and notes that a caller left for a person (channel `note`).
CREATE TABLE messages (
  tenant              text NOT NULL REFERENCES tenants,
  message_id          text NOT NULL,
  idempotency_key     text NOT NULL,
  channel             text NOT NULL DEFAULT 'sms' CHECK (channel IN ('sms', 'note')),
  direction           text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
  status              text NOT NULL CHECK (status IN
    ('queued', 'held', 'sent', 'delivered', 'failed', 'undelivered', 'suppressed', 'received')),
  from_number         text NOT NULL DEFAULT '',
  to_number           text NOT NULL DEFAULT '',
  body                text NOT NULL,
  template            text,
  segments            integer,
  provider            text,
  provider_message_id text,
  error_code          text,
  error_detail        text,
  call_id             text,
  attributes          jsonb NOT NULL DEFAULT '{}',
  send_after          timestamptz(3),
  created_at          timestamptz(3) NOT NULL DEFAULT now(),
  updated_at          timestamptz(3) NOT NULL DEFAULT now(),
  sent_at             timestamptz(3),
  delivered_at        timestamptz(3),
  PRIMARY KEY (tenant, message_id),
  CONSTRAINT one_message_per_key UNIQUE (tenant, idempotency_key),
  CONSTRAINT one_message_per_provider_id UNIQUE (tenant, provider, provider_message_id)
);
CREATE INDEX messages_by_creation ON messages (tenant, created_at DESC, message_id DESC);

CREATE TABLE opt_outs (
  tenant       text NOT NULL REFERENCES tenants,
  channel      text NOT NULL DEFAULT 'sms',
  e164         text NOT NULL,
  -- False once the person opted in again (START): the history of consent is kept.
  opted_out    boolean NOT NULL,
  reason       text NOT NULL,
  changed_at   timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, channel, e164)
);

CREATE TABLE appointments (
  tenant         text NOT NULL REFERENCES tenants,
  appointment_id text NOT NULL,
  calendar       text NOT NULL DEFAULT 'default',
  call_id        text,
  -- Names the one try that made or took over the booking: whoever gave up waiting withdraws by it.
  attempt_id     text NOT NULL,
  confirmation   text NOT NULL,
  name           text NOT NULL,
  e164           text,
  day            date NOT NULL,
  time           text NOT NULL CHECK (time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  duration_min   integer NOT NULL DEFAULT 30 CHECK (duration_min > 0),
  time_zone      text NOT NULL DEFAULT 'UTC',
  notes          text,
  status         text NOT NULL DEFAULT 'booked' CHECK (status IN ('booked', 'cancelled')),
  external       jsonb NOT NULL DEFAULT '{}',
  booked_at      timestamptz(3) NOT NULL DEFAULT now(),
  updated_at     timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, appointment_id)
);
-- What "no double booking" rests on, whoever writes and however many at a time.
CREATE UNIQUE INDEX one_booking_per_slot ON appointments (tenant, calendar, day, time)
  WHERE status = 'booked';
CREATE UNIQUE INDEX one_live_confirmation ON appointments (tenant, confirmation) WHERE status = 'booked';
CREATE INDEX appointments_by_day ON appointments (tenant, day, time);
CREATE INDEX appointments_of_call ON appointments (tenant, call_id);

CREATE TABLE usage (
  tenant      text NOT NULL REFERENCES tenants,
  -- Where it came from, such as `call_x/12`: what is told twice counts once.
  usage_key   text NOT NULL,
  call_id     text,
  kind        text NOT NULL,
  provider    text NOT NULL DEFAULT '',
  model       text NOT NULL DEFAULT '',
  unit        text NOT NULL,
  quantity    double precision NOT NULL,
  cost_micros bigint,
  at          timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant, usage_key, unit)
);
CREATE INDEX usage_of_call ON usage (tenant, call_id);
CREATE INDEX usage_by_time ON usage (tenant, at);

-- Append-only; each row holds the hash of the one before it.
CREATE TABLE audit (
  tenant    text NOT NULL REFERENCES tenants,
  seq       bigint NOT NULL CHECK (seq > 0),
  audit_key text NOT NULL,
  at        timestamptz(3) NOT NULL,
  actor     text NOT NULL,
  action    text NOT NULL,
  target    text NOT NULL DEFAULT '',
  detail    jsonb NOT NULL DEFAULT '{}',
  prev_hash text NOT NULL,
  hash      text NOT NULL,
  PRIMARY KEY (tenant, seq),
  CONSTRAINT one_entry_per_key UNIQUE (tenant, audit_key)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE api_keys (
  tenant       text NOT NULL REFERENCES tenants,
  key_id       text NOT NULL,
  name         text NOT NULL,
  scopes       text[] NOT NULL,
  secret_hash  text NOT NULL,
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  expires_at   timestamptz(3),
  revoked_at   timestamptz(3),
  last_used_at timestamptz(3),
  -- The key that took this one's place when it was rotated.
  replaced_by  text,
  PRIMARY KEY (tenant, key_id)
);

CREATE TABLE dead_letters (
  tenant         text NOT NULL REFERENCES tenants,
  dead_letter_id text NOT NULL,
  queue          text NOT NULL,
  job_key        text NOT NULL,
  payload        jsonb NOT NULL,
  code           text NOT NULL,
  detail         text NOT NULL,
  attempts       integer NOT NULL,
  died_at        timestamptz(3) NOT NULL DEFAULT now(),
  replayed_at    timestamptz(3),
  replays        integer NOT NULL DEFAULT 0,
  discarded_at   timestamptz(3),
  PRIMARY KEY (tenant, dead_letter_id),
  CONSTRAINT one_dead_letter_per_job UNIQUE (tenant, queue, job_key)
);
CREATE INDEX dead_letters_by_time ON dead_letters (tenant, died_at DESC, dead_letter_id DESC);

-- Answers of requests and side effects that may be asked for twice.
CREATE TABLE idempotency_keys (
  tenant      text NOT NULL REFERENCES tenants,
  scope       text NOT NULL,
  key         text NOT NULL,
  -- Hash of what was asked: the same key with another question is a mistake.
  fingerprint text NOT NULL,
  response    jsonb,
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  expires_at  timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant, scope, key)
);

-- Row security on every table that has a tenant, those of this migration and, called again, of later ones.
-- FORCE: the owner of a table is bound by it, too.
CREATE FUNCTION secure_tenant_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT c.oid::regclass AS name, c.relname
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
      AND a.attname = 'tenant' AND NOT a.attisdropped AND NOT c.relforcerowsecurity
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', one.name);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', one.name);
    EXECUTE format(
      'CREATE POLICY own_rows_only ON %s'
      ' USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', one.name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO trunkline_app', one.name);
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION secure_tenant_tables() FROM PUBLIC;

SELECT secure_tenant_tables();
REVOKE UPDATE, DELETE ON audit FROM trunkline_app;
GRANT USAGE ON SCHEMA public TO trunkline_app;
