-- For lists of the entries of one name. Alone, since it waits for all who write to the journal, and is as long as the journal.
CREATE INDEX journal_of_event ON journal (event, at, number);
