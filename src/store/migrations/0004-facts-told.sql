-- How many facts the call's gateway told of it in all, once it is over: turns, tool calls and events together.
-- Null: nobody knows. What follows from a call waits for all of them.
ALTER TABLE calls ADD COLUMN facts_told integer;
