-- When a message was last given to its provider. Set before the provider is asked and cleared when it surely did
-- nothing: whoever finds it set, and no provider's id beside it, follows a try that had no answer.
ALTER TABLE messages ADD COLUMN handed_at timestamptz(3);
