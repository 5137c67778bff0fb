-- What gateways say of their own lives, in rows of the system's tenant: when each said last that it goes on, and
-- whose calls it may have. Null in the rows of all other tenants.
ALTER TABLE gateway_runs ADD COLUMN heard_at timestamptz(3), ADD COLUMN tenants text[];
